"""Trained weights → a model folder that proves itself."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor, nn

from pawsight.data.table import data_digest
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.artifact import (
    NETWORK_FILE,
    QUANTISED_FILE,
    SEEN_FILE,
    Card,
    ModelFolder,
    Provenance,
)
from pawsight.inference.catalog import has_card
from pawsight.inference.classifier import Classifier
from pawsight.inference.errors import ModelError
from pawsight.labels import NEITHER, classes_of
from pawsight.models.cnn_model import Activations, SimpleCNN
from pawsight.models.huggingface import HuggingFaceViT
from pawsight.training.background import add_background
from pawsight.training.calibrate import calibrate
from pawsight.training.compress import compress, round_weights
from pawsight.training.folder import (
    GOLDEN_TOLERANCE,
    Answer,
    check_parity,
    code_revision,
    digests,
    unchosen,
    write_golden,
)
from pawsight.training.networks import (
    Network,
    load_weights,
    mix_weights,
    random_network,
    starting_point,
)
from pawsight.training.provenance import describe, in_words, versions, write_seen
from pawsight.training.quantise import calibration_pictures, quantise
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunError, RunFolder

Exportable: TypeAlias = Network | HuggingFaceViT


def export_run(
    run: RunFolder, output: Path, *, name: str, progress: Callable[[int], None] | None = None
) -> ModelFolder:
    """Make a model folder of the best weights of a training.

    The network is exported, calibrated and given its rejection threshold on the validation split,
    and measured on the validation and the test split: all through the folder, as it will be served.

    Args:
        run: The training.
        output: The folder to write.
        name: For the card.
        progress: Called with the number of pictures measured after each step.

    Raises:
        RunError: There is no training, or its first epoch is not done.
        ExportError: ONNX Runtime and torch differ by more than
            :data:`~pawsight.training.folder.PARITY`, or the training diverged.
    """
    recipe, table = run.read()
    labels = classes_of(table["label"])
    training = table.loc[table["split"] == "train"]
    network = _trained(run, recipe, len(labels))
    how = recipe.preprocessing
    output.mkdir(parents=True, exist_ok=True)
    golden = write_golden(answering(network), labels, how, output)
    write_onnx(network, how, output / NETWORK_FILE)
    networks, quantised = [NETWORK_FILE], None
    if recipe.arithmetic == "int8":
        networks.append(QUANTISED_FILE)
        examples = calibration_pictures(training, how, recipe.seed)
        quantised = quantise(output, examples, labels, how)
    if recipe.weights == "int8":
        compress(output / NETWORK_FILE)
    write_seen(table, output)
    parameters = sum(each.numel() for each in network.parameters()) / 1e6
    card = Card(
        name=name,
        description=describe(f"A {type(network).__name__}", labels),
        architecture=f"{type(network).__name__}, {parameters:.1f} million parameters",
        labels=labels,
        preprocessing=how,
        temperature=1.0,
        rejection=unchosen(trained=NEITHER in set(training["label"])),
        metrics=(),
        provenance=Provenance(
            started_from=starting_point(recipe, run.origin),
            licence="Apache-2.0",
            data=in_words(training),
            data_digest=data_digest(table),
            seed=recipe.seed,
            code_revision=code_revision(),
            libraries=versions("torch", "lightning", "numpy", "pillow"),
            recipe=recipe.model_dump(mode="json"),
        ),
        golden=golden,
        golden_tolerance=GOLDEN_TOLERANCE,
        quantised=quantised,
        files=digests(output, [*networks, SEEN_FILE, *(answer.file for answer in golden)]),
    )
    folder = ModelFolder(output, card)  # the card is written once its thresholds are chosen
    check_parity(answering(network), Classifier(folder, precision="float32"))
    return calibrate(add_background(folder, table), table, progress)


def _trained(run: RunFolder, recipe: Recipe, classes: int) -> Network:
    """A training's network as it is to be served."""
    network = random_network(recipe, classes)
    load_weights(network, run.trained())
    if recipe.keep_start:
        mix_weights(network, run.start, recipe.keep_start)
    if isinstance(network, SimpleCNN):
        network.mirrored = recipe.mirrored
    network.eval()
    if recipe.weights == "int8":
        round_weights(network)
    return network


def refuse_other_model(run: RunFolder, output: Path) -> None:
    """Make sure that an export takes the place of none but an earlier one of its training.

    Raises:
        RunError: The folder holds a model of another training; or there is no training.
    """
    recipe, table = run.read()
    if not has_card(output):
        return
    try:
        made = ModelFolder.open(output).card.provenance
        # As a recipe: an older card has not all the fields that there are by now.
        same = Recipe.model_validate(made.recipe) == recipe
        same = same and made.data_digest == data_digest(table)
    except (ModelError, ValidationError):
        same = False
    if not same:
        raise RunError(f"{str(output)!r} already holds another model: name another folder")


class _Exported(nn.Module):
    """The outputs that a model folder promises, by position."""

    def __init__(self, network: Exportable) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.activations(pixel_values))


def write_onnx(
    network: Exportable,
    how: Preprocessing,
    file: Path,
    outputs: Sequence[str] = Activations._fields,
) -> None:
    """Export a network: input ``pixel_values`` [N, 3, H, W], its activations as outputs.

    Args:
        network: What is exported.
        how: Says H and W.
        file: The ONNX file to write.
        outputs: Names of the network's activations, in their order.
    """
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    example = torch.zeros(2, 3, how.height, how.width)
    # The exporter warns that torchvision, which nothing here uses, is not installed.
    for noisy in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own internals
        program: Any = torch.onnx.export(  # a program, as no file is named
            _Exported(network).eval(),
            (example,),
            input_names=["pixel_values"],
            output_names=list(outputs),
            dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch", min=1, max=4096)}},
            dynamo=True,
            optimize=True,
            verbose=False,
        )
        # The exporter notes for every node where in which file of this machine it was called.
        ClearMetadataAndDocStringPass()(program.model)
        program.save(file, external_data=False)


def answering(network: Exportable) -> Answer:
    """A torch network as a function of arrays."""

    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
        return logits

    return answer
