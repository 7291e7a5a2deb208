"""Tensors on the wire: the Open Inference Protocol's JSON, and its extension for binary tensors.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol and, for binary
data, https://github.com/kserve/open-inference-protocol (extension_binary_data): the body begins
with the JSON, as long as the header ``Inference-Header-Content-Length`` says; the tensors follow,
each as long as its ``binary_data_size``.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from pawsight.serving.bodies import parse_json
from pawsight.serving.errors import Refusal, quoted

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
_LENGTH: Final = struct.Struct("<I")  # before each element of BYTES

Name = Annotated[str, Field(max_length=255)]
Parameters = dict[str, Any]


class InputTensor(BaseModel):
    """A tensor that is sent: its data here, or as binary after the JSON."""

    name: Name
    shape: Annotated[list[Annotated[int, Field(ge=0, le=2**31)]], Field(max_length=8)]
    datatype: Name
    parameters: Parameters = {}
    data: list[Any] | None = None

    @property
    def elements(self) -> int:
        """How many elements the shape has."""
        return math.prod(self.shape)

    @property
    def binary_size(self) -> int:
        """How many bytes of it follow the JSON."""
        size = self.parameters.get("binary_data_size", 0)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise invalid(f"{quoted(self.name)}: binary_data_size must be a whole number")
        return size


class WantedTensor(BaseModel):
    """A tensor that is asked for."""

    name: Name
    parameters: Parameters = {}


class InferRequest(BaseModel):
    """What is asked, without the binary tensors."""

    id: Name | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=8)]
    outputs: Annotated[list[WantedTensor], Field(max_length=16)] | None = None
    parameters: Parameters = {}


@dataclass(frozen=True)
class Sent:
    """One tensor as it came: described, with its binary data if that is how it was sent."""

    tensor: InputTensor
    raw: memoryview | None

    def pictures(self) -> list[bytes]:
        """The files that a tensor of ``BYTES`` holds; in JSON each is Base64.

        Raises:
            Refusal: It holds other things, or another number of them.
        """
        name = quoted(self.tensor.name)
        expected = self.tensor.elements
        each = self._base64() if self.raw is None else _split(self.raw, name)
        # No more than one too many: millions that are empty would take long to find.
        files = list(islice(each, expected + 1))
        if len(files) != expected:
            got = "more were sent" if len(files) > expected else f"{len(files)} were sent"
            raise invalid(f"{name}: its shape has {expected} elements, and {got}")
        return files

    def pixels(self, height: int, width: int) -> NDArray[np.float32]:
        """A tensor of ``FP32``, [N, 3, height, width].

        Raises:
            Refusal: It has another shape, another number of values, or values that are none.
        """
        name, shape = quoted(self.tensor.name), self.tensor.shape
        if len(shape) != 4 or shape[1:] != [3, height, width]:
            raise invalid(f"{name}: its shape must be [N, 3, {height}, {width}], not {shape}")
        if self.raw is not None:
            size = 4 * self.tensor.elements
            if len(self.raw) != size:
                raise invalid(f"{name}: {len(self.raw)} bytes were sent, its shape needs {size}")
            values = np.frombuffer(self.raw, dtype="<f4")
        else:
            values = self._numbers()
        if not np.isfinite(values).all():
            raise invalid(f"{name}: every value must be a finite number")
        return values.astype(np.float32, copy=False).reshape(shape)

    def _numbers(self) -> NDArray[np.float32]:
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(self.tensor.data, dtype=np.float32).ravel()
        except (ValueError, TypeError, OverflowError) as error:
            raise invalid(f"{quoted(self.tensor.name)}: its data must be numbers") from error
        if values.size != self.tensor.elements:
            raise invalid(
                f"{quoted(self.tensor.name)}: {values.size} values were sent, its shape needs "
                f"{self.tensor.elements}"
            )
        return values

    def _base64(self) -> Iterator[bytes]:
        try:
            for each in self.tensor.data or ():
                yield base64.b64decode(each, validate=True)
        except (ValueError, TypeError) as error:
            raise invalid(
                f"{quoted(self.tensor.name)}: in JSON its data must be pictures in Base64; binary "
                "data is smaller"
            ) from error


def invalid(words: str) -> Refusal:
    """A request that cannot be read."""
    return Refusal("invalid-request", words)


def unpack(body: bytes, header_length: str | None) -> tuple[InferRequest, list[Sent]]:
    """Read a request.

    Args:
        body: All of it.
        header_length: How much of it is JSON, as the client says; None for all.

    Raises:
        Refusal: ``invalid-request``.
    """
    end = len(body)
    if header_length is not None:
        if not (header_length.isascii() and header_length.isdecimal() and len(header_length) < 16):
            raise invalid(f"{HEADER_LENGTH} must be a whole number")
        end = int(header_length)
        if end > len(body):
            raise invalid(f"{HEADER_LENGTH} is {end}, and the body has {len(body)} bytes")
    request = parse_json(body[:end], InferRequest)
    rest = memoryview(body)[end:]
    sent = []
    for tensor in request.inputs:
        if "binary_data_size" in tensor.parameters:
            size = tensor.binary_size
            if size > len(rest):
                raise invalid(
                    f"{quoted(tensor.name)}: its binary_data_size is {size}, and {len(rest)} bytes "
                    "are left"
                )
            sent.append(Sent(tensor, rest[:size]))
            rest = rest[size:]
        elif tensor.data is None:
            raise invalid(f"{quoted(tensor.name)} has no data")
        else:
            sent.append(Sent(tensor, None))
    if len(rest):
        raise invalid(f"{len(rest)} bytes follow the last tensor")
    return request, sent


@dataclass(frozen=True)
class Output:
    """A tensor to answer.

    Attributes:
        name: Of the tensor.
        values: float32 or texts, of any shape.
    """

    name: str
    values: NDArray[np.float32] | NDArray[np.str_]

    @property
    def datatype(self) -> str:
        """``FP32`` or ``BYTES``."""
        return "BYTES" if self.values.dtype.kind == "U" else "FP32"

    def described(self, *, binary: bool) -> tuple[dict[str, Any], bytes]:
        """What stands of it in the JSON, and what follows."""
        said: dict[str, Any] = {
            "name": self.name,
            "datatype": self.datatype,
            "shape": list(self.values.shape),
        }
        if not binary:
            return {**said, "data": self.values.ravel().tolist()}, b""
        if self.datatype == "FP32":
            raw = self.values.astype("<f4").tobytes()
        else:
            texts = [each.encode() for each in self.values.ravel().tolist()]
            raw = b"".join(_LENGTH.pack(len(each)) + each for each in texts)
        return {**said, "parameters": {"binary_data_size": len(raw)}}, raw

    def classified(self, labels: Sequence[str], most: int) -> Output:
        """The largest values in place of all, each as a text ``VALUE:INDEX:LABEL``.

        As Triton's extension for classification writes them:
        https://github.com/triton-inference-server/server, docs/protocol/extension_classification.md

        Args:
            labels: Of the classes along the last axis.
            most: Of each row.
        """
        texts = [
            [
                f"{row[index]:f}:{index}:{labels[index]}"
                for index in np.argsort(-row, kind="stable")[:most]
            ]
            for row in self.values
        ]
        return Output(self.name, np.array(texts, dtype=np.str_))


OUTPUTS: Final = {
    "label": "BYTES",
    "confidence": "FP32",
    "probabilities": "FP32",
    "score": "FP32",
    "decided_by": "BYTES",
}
"""What a model gives: names and datatypes."""

OF_CLASSES: Final = "probabilities"
"""The output that has a value for each class."""


class Wish(NamedTuple):
    """An output that is asked for.

    Attributes:
        name: In :data:`OUTPUTS`.
        binary: Whether it follows the JSON.
        most: So many classes in place of all, the most probable; None for all values as they are.
    """

    name: str
    binary: bool
    most: int | None = None


def wishes_of(request: InferRequest) -> list[Wish]:
    """The outputs that are asked for, by default all.

    Raises:
        Refusal: There is no such output, or its classes are asked for and it has none.
    """
    as_binary = request.parameters.get("binary_data_output") is True
    if not request.outputs:
        return [Wish(name, as_binary) for name in OUTPUTS]
    wishes = []
    for each in request.outputs:
        if each.name not in OUTPUTS:
            raise invalid(f"no output {quoted(each.name)}; there are {', '.join(OUTPUTS)}")
        most = _number_of_classes(each) if "classification" in each.parameters else None
        binary = each.parameters.get("binary_data", as_binary) is True
        wishes.append(Wish(each.name, binary, most))
    return wishes


def _number_of_classes(asked: WantedTensor) -> int:
    if asked.name != OF_CLASSES:
        raise invalid(f"{quoted(asked.name)} has no classes; {OF_CLASSES!r} has")
    most = asked.parameters["classification"]
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise invalid(f"{quoted(asked.name)}: classification must be a whole number, 1 or more")
    return most


def _split(raw: memoryview, name: str) -> Iterator[bytes]:
    while len(raw):
        if len(raw) < _LENGTH.size:
            raise invalid(f"{name}: its binary data ends in the middle of a length")
        [length] = _LENGTH.unpack(raw[: _LENGTH.size])
        raw = raw[_LENGTH.size :]
        if length > len(raw):
            raise invalid(f"{name}: an element of {length} bytes, and {len(raw)} are left")
        yield bytes(raw[:length])
        raw = raw[length:]
