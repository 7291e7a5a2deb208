"""Write what a release holds: a CycloneDX bill of materials, as JSON.

    python scripts/sbom.py OUTPUT.json [--extra NAME …]

Run it where pawsight is installed: the versions are those that are installed there. Components are
the embedded models, with their digests, licences and origins, and all packages that a base install
(and the named extras) needs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pawsight.inference.catalog import resolve

NETWORKS = ("custom", "pretrained")
LICENCES = LicenseFactory()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--extra", nargs="+", default=[])
    given = parser.parse_args()
    given.output.write_text(as_json(given.extra), encoding="utf-8")


def as_json(extras: Iterable[str] = ()) -> str:
    """The document; two calls in the same environment give the same."""
    packages = needed("pawsight", frozenset(extras))
    root = packages.pop("pawsight")
    bom = Bom()
    bom.metadata.component = of_package(root, ComponentType.APPLICATION)
    parts = [*map(of_network, NETWORKS), *map(of_package, packages.values())]
    for each in parts:
        bom.components.add(each)
    bom.register_dependency(bom.metadata.component, parts)
    described = sorted(f"{each.name} {each.version}" for each in parts)
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join([root.version, *described]))
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)  # the same environment, the same document
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def needed(name: str, extras: frozenset[str]) -> dict[str, Distribution]:
    """An installed package and all that it needs here, by their names."""
    found: dict[str, Distribution] = {}
    waiting = [(name, extras)]
    done = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in done:
            continue
        done.add((name, wanted))
        found[name] = distribution(name)
        waiting += [
            (canonicalize_name(each.name), frozenset(each.extras))
            for each in requirements(found[name], wanted)
        ]
    return dict(sorted(found.items()))


def requirements(package: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in package.requires or ():
        each = Requirement(text)
        marker = each.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield each


def of_package(package: Distribution, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    about: Any = package.metadata  # a message, which its protocol does not say on all Pythons
    name, version = canonicalize_name(about["Name"]), package.version
    said = about.get("License-Expression") or about.get("License")
    if not said or "\n" in said:  # some put the whole text there
        named = about.get_all("Classifier") or ()
        said = next((c.split(" :: ")[-1] for c in named if c.startswith("License :: ")), None)
    return Component(
        type=kind,
        name=name,
        version=version,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", None, name, version),
        licenses=[LICENCES.make_from_string(said)] if said else None,
    )


def of_network(name: str) -> Component:
    card = resolve(name).open().card
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=name,
        version=card.files["model.onnx"][:12],
        bom_ref=f"model:{name}",
        description=card.description,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=card.files["model.onnx"])],
        licenses=[LICENCES.make_from_string(card.provenance.licence)],
        properties=[
            Property(name="pawsight:started_from", value=card.provenance.started_from),
            Property(name="pawsight:data", value=card.provenance.data),
        ],
    )


if __name__ == "__main__":
    main()
