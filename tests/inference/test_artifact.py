"""A model folder proves itself, or is refused with words that name what differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from pydantic import ValidationError

import pawsight
from pawsight.inference.artifact import CARD_FILE, Card, ModelFolder, digest
from pawsight.inference.errors import BrokenModel

Fields = dict[str, Any]


def edit(folder: Path, change: Callable[[Fields], None]) -> None:
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    try:  # what is wrong is to be noticed, although the seal fits
        text = Card.model_validate_json(json.dumps(card)).sealed().model_dump_json()
    except ValidationError:
        text = json.dumps(card)
    (folder / CARD_FILE).write_text(text)


def refused(folder: Path, words: str) -> None:
    with pytest.raises(BrokenModel, match=words):
        pawsight.load(str(folder))


def test_an_untouched_copy_is_loaded(model_copy: Path) -> None:
    assert pawsight.load(str(model_copy)).card.name == "drawn"


@pytest.mark.parametrize("name", ["model.onnx", "seen.bin", "golden/golden-1.png", "README.md"])
def test_a_changed_byte_is_refused(model_copy: Path, name: str) -> None:
    data = bytearray((model_copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (model_copy / name).write_bytes(data)
    refused(model_copy, f"{name} was changed")


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(temperature=5.0),
        lambda card: card["rejection"].update(threshold=50.0),
        lambda card: card["metrics"][0].update(accuracy=0.99999),
    ],
)
def test_a_changed_card_is_refused(model_copy: Path, change: Callable[[Fields], None]) -> None:
    card = json.loads((model_copy / CARD_FILE).read_text())
    change(card)
    (model_copy / CARD_FILE).write_text(json.dumps(card))
    refused(model_copy, "model.json was changed since it was written")


def test_a_missing_file_is_refused(model_copy: Path) -> None:
    (model_copy / "golden" / "golden-2.jpg").unlink()
    refused(model_copy, "golden-2.jpg is missing")


@pytest.mark.parametrize("resample", ["bicubic", "lanczos"])
def test_another_resize_filter_is_refused(model_copy: Path, resample: str) -> None:
    edit(model_copy, lambda card: card["preprocessing"].update(resample=resample))
    refused(model_copy, "does not answer as it was trained to: on golden/golden-0.jpg the logit")


def test_another_geometry_is_refused(model_copy: Path) -> None:
    edit(model_copy, lambda card: card["preprocessing"].update(geometry="crop"))
    refused(model_copy, "does not answer as it was trained to")


def test_another_size_is_refused(model_copy: Path) -> None:
    edit(model_copy, lambda card: card["preprocessing"].update(height=64, width=64))
    refused(model_copy, "does not take pictures of 64×64")


def test_another_normalisation_is_refused(model_copy: Path) -> None:
    edit(model_copy, lambda card: card["preprocessing"].update(mean=[0.5, 0.5, 0.5]))
    refused(model_copy, "does not answer as it was trained to")


def test_labels_in_another_order_are_refused(model_copy: Path) -> None:
    edit(model_copy, lambda card: card["labels"].reverse())
    refused(model_copy, "does not answer as it was trained to: .* of 'dog'")


def test_other_weights_are_refused_even_with_their_digest(model_copy: Path) -> None:
    network = model_copy / "model.onnx"
    model = onnx.load(network)
    [classifier] = [each for each in model.graph.initializer if list(each.dims) == [2, 16]]
    weights = numpy_helper.to_array(classifier) * np.float32(1.02)
    classifier.CopyFrom(numpy_helper.from_array(weights, classifier.name))
    onnx.save(model, network)
    edit(model_copy, lambda card: card["files"].update({"model.onnx": digest(network)}))
    refused(model_copy, "does not answer as it was trained to")


def test_a_network_that_is_none_is_refused(model_copy: Path) -> None:
    (model_copy / "model.onnx").write_bytes(b"nonsense")
    edit(
        model_copy,
        lambda card: card["files"].update({"model.onnx": digest(model_copy / "model.onnx")}),
    )
    refused(model_copy, "CPUExecutionProvider cannot load model.onnx")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda card: card.update(schema_version=2), "model.json: schema_version"),
        (lambda card: card.update(surprise=1), "model.json: surprise"),
        (lambda card: card.pop("temperature"), "model.json: temperature: is missing"),
        (lambda card: card.update(temperature=0), "model.json: temperature"),
        (lambda card: card.update(golden=[]), "model.json: golden"),
        (lambda card: card.update(golden=card["golden"][:1]), "model.json: golden"),
        (lambda card: card.update(golden_tolerance=1e9), "model.json: golden_tolerance"),
        (lambda card: card.update(temperature=float("inf")), "model.json: temperature"),
        (lambda card: card.update(labels=["cat", "neither"]), "different from .* 'neither'"),
        (lambda card: card["files"].pop("model.onnx"), "model.onnx has no digest"),
        (
            lambda card: card["files"].update({"../../etc/passwd": "0" * 64}),
            "model.json: files",
        ),
    ],
)
def test_a_card_that_breaks_the_schema_is_refused(
    model_copy: Path, change: Callable[[Fields], None], words: str
) -> None:
    edit(model_copy, change)
    refused(model_copy, words)


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="it has no readable"):
        ModelFolder.open(tmp_path)
