"""The manifests are what Kubernetes takes, and say of the service what is so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pawsight.serving.app import create_app
from pawsight.serving.meter import Meter
from pawsight.serving.server import _SHUTDOWN_SECONDS
from pawsight.serving.settings import Settings

FOLDER = Path(__file__).parents[1] / "deployment" / "kubernetes"
THEIRS = {"ServiceMonitor", "InferenceService", "Kustomization"}  # not Kubernetes' own kinds


def manifests() -> dict[str, dict[str, Any]]:
    documents = (yaml.safe_load(each.read_text()) for each in FOLDER.glob("*.yaml"))
    return {each["kind"]: each for each in documents}


@pytest.mark.parametrize("kind", sorted(set(manifests()) - THEIRS))
def test_each_is_valid_by_its_schema(kind: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kubernetes_validate.validate(manifests()[kind], kubernetes_validate.latest_version(), True)


def pod_specs() -> list[dict[str, Any]]:
    there = manifests()
    return [
        there["Deployment"]["spec"]["template"]["spec"],
        {
            name: value
            for name, value in there["InferenceService"]["spec"]["predictor"].items()
            if name in ("containers", "volumes")
        },
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_what_runs_is_a_pod_that_may_nothing(number: int) -> None:
    spec = pod_specs()[number]
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pawsight"}, "spec": spec}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), True)
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"memory", "cpu"} <= set(container["resources"]["limits"])


def test_what_is_asked_and_set_is_there() -> None:
    paths = set(create_app().openapi()["paths"])
    fields = {f"PAWSIGHT_{name.upper()}" for name in Settings.model_fields}
    for spec in pod_specs():
        [container] = spec["containers"]
        assert {each["name"] for each in container["env"]} <= fields
        probes = [value for name, value in container.items() if name.endswith("Probe")]
        assert {each["httpGet"]["path"] for each in probes} <= paths
    assert manifests()["ServiceMonitor"]["spec"]["endpoints"][0]["path"] in paths


def test_replicas_are_added_by_a_metric_that_there_is() -> None:
    metrics = manifests()["HorizontalPodAutoscaler"]["spec"]["metrics"]
    [name] = [each["pods"]["metric"]["name"] for each in metrics if each["type"] == "Pods"]
    assert name in {family.name for family in Meter().registry.collect()}


def value_of(spec: dict[str, Any], name: str) -> float:
    [value] = [each["value"] for each in spec["containers"][0]["env"] if each["name"] == name]
    return float(value)


def test_what_was_accepted_is_answered_before_the_pod_is_killed() -> None:
    spec = pod_specs()[0]
    drain = value_of(spec, "PAWSIGHT_DRAIN_SECONDS")
    assert drain + _SHUTDOWN_SECONDS < spec["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_sent_fits_into_the_pods_memory(number: int) -> None:
    """Once as a body, once in /tmp, beside the 340 MB of a service under load (performance.md)."""
    spec = pod_specs()[number]
    limits = spec["containers"][0]["resources"]["limits"]
    free = (int(limits["memory"].removesuffix("Mi")) - 340) * 2**20
    held = value_of(spec, "PAWSIGHT_MAX_HELD_BYTES")
    assert 2 * held <= free
    assert Settings().max_bytes <= value_of(spec, "PAWSIGHT_MAX_BATCH_BYTES") <= held


def test_only_the_autoscaler_says_how_many_there_are() -> None:
    assert "replicas" not in manifests()["Deployment"]["spec"]
    assert manifests()["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2


def test_kustomize_takes_all_of_it() -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True
    )
    built = {each["kind"]: each for each in yaml.safe_load_all(done.stdout)}
    assert set(built) == set(manifests()) - {"InferenceService", "Kustomization"}
    [container] = built["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "pawsight:api"
    labels = built["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert built["Service"]["spec"]["selector"].items() <= labels.items()
    assert {each["metadata"]["namespace"] for each in built.values()} == {"pawsight"}
