"""What deployment/ says of the service is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pawsight.serving.meter import Meter
from pawsight.serving.settings import Settings

DOCKER = Path(__file__).parents[1] / "deployment" / "docker"


def names_in(expression: str) -> set[str]:
    """Of the metrics that a query asks for."""
    return set(re.findall(r"\b(?:pawsight|process)_[a-z_]+", expression))


def test_the_board_asks_for_metrics_that_there_are() -> None:
    board = json.loads(
        (DOCKER / "grafana/provisioning/dashboards/pawsight.json").read_text(encoding="utf-8")
    )
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    meter = Meter()
    there = {
        f"{family.name}{ending}"
        for family in meter.registry.collect()
        for ending in ("", "_total", "_bucket", "_sum", "_count")
    }
    assert len(expressions) >= 8
    for expression in expressions:
        assert names_in(expression), expression
        assert names_in(expression) <= there


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return document


def test_compose_sets_what_can_be_set(compose: dict[str, Any]) -> None:
    set_ = [name for each in compose["services"].values() for name in each.get("environment", {})]
    fields = {f"PAWSIGHT_{name.upper()}" for name in Settings.model_fields}
    ours = {name for name in set_ if name.startswith("PAWSIGHT_")}
    assert ours
    assert ours <= fields | {"PAWSIGHT_API_URL"}


def test_the_services_image_has_what_its_settings_need(compose: dict[str, Any]) -> None:
    """A record in PostgreSQL needs the driver, without which the service does not start."""
    records = compose["services"]["api"]["environment"]["PAWSIGHT_RECORDS"]
    assert records.startswith("postgresql://")
    api = (DOCKER / "Dockerfile").read_text().split("AS build-api")[1].split("FROM ")[0]
    [extras] = re.findall(r"ARG EXTRAS=\"([a-z ]+)\"", api)
    assert "postgres" in extras.split()


def test_compose_builds_stages_that_there_are_and_opens_nothing_to_others(
    compose: dict[str, Any],
) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    for service in compose["services"].values():
        if "build" in service:
            assert service["build"]["target"] in stages
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
