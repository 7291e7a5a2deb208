"""A checkpoint that has its network in ONNX form: taken without torch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pawsight.models.checkpoint import PROCESSOR_FILE, Checkpoint
from pawsight.models.errors import CheckpointError

_LARGEST: Final = 2**31 - 1  # bytes: protobuf takes no more in one file
_MASSES: Final = "pawsight_masses"
_OWN: Final = "features"  # what the checkpoint calls logits; see OnnxCheckpoint.write


class OnnxCheckpoint:
    """A network in ONNX form: ``pixel_values`` float32 [N, 3, H, W] → ``logits`` float32 [N, K].

    Args:
        checkpoint: Whose ``onnx`` file it is; weights in files beside it are read, too.

    Attributes:
        parameters: How many numbers its weights are.

    Raises:
        CheckpointError: The file is cut off, a file beside it is missing, it has other inputs or
            outputs, takes a fixed number of pictures, or is too large for one file.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._model = _load(checkpoint)
        _check_form(self._model.graph, checkpoint)
        self.parameters = sum(
            int(np.prod(each.dims)) for each in self._model.graph.initializer if len(each.dims)
        )

    def write(self, file: Path) -> None:
        """Write the network that a model folder holds.

        Its ``logits`` [N, 2] are those of :class:`pawsight.models.huggingface.HuggingFaceViT`, the
        log-odds of each group against the rest; its ``features`` [N, K] are the checkpoint's own
        logits, the last thing that it has to say about a picture and the only one that every ONNX
        file gives.
        """
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        _append_groups(model, self._checkpoint)
        onnx.save(model, file)

    @contextmanager
    def as_it_is(self) -> Iterator[Reference]:
        """The network before anything was appended, to compare with."""
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "checkpoint.onnx"
            onnx.save(self._model, file)
            yield Reference(file, self._checkpoint)


class Reference:
    """Answers by the checkpoint's own network, whose classes are grouped in numpy."""

    def __init__(self, file: Path, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        try:
            self._session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise CheckpointError(
                f"ONNX Runtime cannot load the checkpoint's network: {str(error)[:200]}"
            ) from error

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits float64 [N, 2] of the groups, of float32 [N, 3, H, W]."""
        try:
            own = self._session.run(["logits"], {"pixel_values": batch})[0].astype(np.float64)
        except Exception as error:
            raise CheckpointError(
                f"the checkpoint's network does not take pictures of {batch.shape[2]}×"
                f"{batch.shape[3]}, which its {PROCESSOR_FILE} asks for"
            ) from error
        groups, rest = self._checkpoint.groups, self._checkpoint.rest
        logits = np.stack(
            [np.logaddexp.reduce(own[:, groups[each]], 1) for each in self._checkpoint.labels], 1
        )
        return logits - np.logaddexp.reduce(own[:, rest], 1)[:, None] if rest else logits


def _load(checkpoint: Checkpoint) -> onnx.ModelProto:
    file = checkpoint.onnx
    if file is None:
        raise CheckpointError(f"{checkpoint.name!r} has no ONNX file")
    try:
        model = onnx.load(file, load_external_data=False)
        beside = {
            entry.value
            for tensor in model.graph.initializer
            for entry in tensor.external_data
            if entry.key == "location"
        }
        return _inline(file, beside) if beside else model
    except DecodeError as error:
        raise CheckpointError(f"{file.name} is no ONNX file, or cut off") from error


def _inline(file: Path, beside: set[str]) -> onnx.ModelProto:
    """Read a network together with the files that hold its weights."""
    for name in beside:
        if Path(name).name != name:
            raise CheckpointError(f"{file.name} has weights outside its own folder: {name!r}")
        if not (file.parent / name).is_file():
            raise CheckpointError(f"{file.name} has weights in {name!r}, which is missing")
    if sum((file.parent / name).stat().st_size for name in beside) > _LARGEST:
        raise CheckpointError(f"{file.name} has more than 2 GB of weights, too many for one file")
    # A copy, as onnx takes no links for weights, and the hub's cache is made of links.
    with tempfile.TemporaryDirectory() as place:
        for name in (file.name, *beside):
            shutil.copyfile(file.parent / name, Path(place) / name)
        try:
            return onnx.load(Path(place) / file.name)
        except ValueError as error:  # of onnx.checker, too: an offset behind the end of the file
            raise CheckpointError(f"the weights of {file.name} are cut off: {error}") from error


def _check_form(graph: onnx.GraphProto, checkpoint: Checkpoint) -> None:
    weights = {each.name for each in graph.initializer}
    inputs = {each.name: each for each in graph.input if each.name not in weights}
    outputs = {each.name: each for each in graph.output}
    if set(inputs) != {"pixel_values"} or "logits" not in outputs:
        raise CheckpointError(
            "the checkpoint's network must take 'pixel_values' and give 'logits'; it takes "
            f"{sorted(inputs)} and gives {sorted(outputs)}"
        )
    for value in (inputs["pixel_values"], outputs["logits"]):
        if value.type.tensor_type.elem_type != TensorProto.FLOAT:
            raise CheckpointError(f"the checkpoint's {value.name} are not float32")
        if not value.type.tensor_type.shape.dim:
            raise CheckpointError(f"the checkpoint's {value.name} have no shape")
    if inputs["pixel_values"].type.tensor_type.shape.dim[0].dim_value:
        raise CheckpointError(
            "the checkpoint's network takes a fixed number of pictures: export it again with a "
            "dynamic first axis"
        )
    classes = outputs["logits"].type.tensor_type.shape.dim[-1].dim_value
    if classes and classes != checkpoint.classes:
        raise CheckpointError(
            f"the checkpoint's network has {classes} outputs for the {checkpoint.classes} classes "
            "of its config.json"
        )


def _append_groups(model: onnx.ModelProto, checkpoint: Checkpoint) -> None:
    graph = model.graph
    for node in graph.node:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name in ("logits", "features"):
                    names[position] = _OWN if name == "logits" else "checkpoint_features"
    masses = [_mass(model, label, checkpoint.groups[label]) for label in checkpoint.labels]
    graph.node.append(helper.make_node("Concat", masses, [_MASSES], axis=1))
    if checkpoint.rest:
        rest = _mass(model, "rest", checkpoint.rest)
        graph.node.append(helper.make_node("Sub", [_MASSES, rest], ["logits"]))
    else:
        graph.node.append(helper.make_node("Identity", [_MASSES], ["logits"]))
    del graph.output[:]
    for name, width in (("logits", len(masses)), (_OWN, checkpoint.classes)):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]))


def _mass(model: onnx.ModelProto, group: str, numbers: Sequence[int]) -> str:
    """Append the logarithm of a group's mass, [N, 1]; returns its name."""
    picked, mass, which = (f"pawsight_{group}_{each}" for each in ("logits", "mass", "classes"))
    constants = {which: numbers}
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    nodes = [helper.make_node("Gather", [_OWN, which], [picked], axis=1)]
    if opset < 18:
        nodes.append(helper.make_node("ReduceLogSumExp", [picked], [mass], axes=[1], keepdims=1))
    else:
        axis = f"pawsight_{group}_axis"
        constants[axis] = [1]
        nodes.append(helper.make_node("ReduceLogSumExp", [picked, axis], [mass], keepdims=1))
    model.graph.node.extend(nodes)
    for name, values in constants.items():
        array = np.array(values, dtype=np.int64)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return mass
