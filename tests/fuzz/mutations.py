"""Real pictures, made hostile."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.pictures import bomb, picture

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")
GOOD = {kind: picture("blue", kind, (48, 40)) for kind in KINDS}


def hostile_picture(chance: random.Random) -> bytes:
    """A picture of some format that was cut, flipped, spliced or glued; rarely an intact one."""
    data = GOOD[chance.choice(KINDS)]
    for _ in range(chance.randint(0, 3)):
        data = chance.choice((_cut, _flip, _splice, _glue, _number, _repeat))(data, chance)
    return data if chance.random() > 0.02 else bomb(chance.choice((9_000, 30_000, 2**31 - 1)))


def hostile_json(chance: random.Random) -> bytes:
    """A document that a client of others might send, or something that only looks like JSON."""
    if chance.random() < 0.3:
        deep = chance.choice((10, 300, 5000))
        return chance.choice((b"[" * deep, b'{"inputs":' * deep, b"[" * deep + b"]" * deep))
    return json.dumps(_document(chance)).encode()


def _document(chance: random.Random) -> dict[str, Any]:
    def value() -> Any:
        return chance.choice(
            (
                *(None, True, -1, 0, 1, 2**31, 2**80, 1e308, "", "image", "BYTES", "é\0\u202e"),
                *([], {}, [1], [[1, [2]]], ["AAAA"], {"binary_data_size": -1}),
            )
        )

    tensor = {
        "name": chance.choice(("image", "pixel_values", value())),
        "shape": chance.choice(([1], [1, 3, 32, 32], [0], [2**31, 2**31], value())),
        "datatype": chance.choice(("BYTES", "FP32", "INT8", value())),
        "parameters": chance.choice(({}, {"binary_data_size": value()}, value())),
        "data": chance.choice((value(), [value() for _ in range(chance.randint(0, 5))])),
    }
    document = {
        "id": value(),
        "inputs": chance.choice(([tensor], [tensor, tensor], value(), "AAAA")),
        "outputs": chance.choice(([{"name": "label"}], [{"name": value()}], value())),
        "parameters": chance.choice(({"top_k": value()}, {}, value())),
    }
    return {name: each for name, each in document.items() if chance.random() < 0.8}


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3, 30))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _splice(data: bytes, chance: random.Random) -> bytes:
    """The beginning of one format, and the rest of another."""
    other, where = GOOD[chance.choice(KINDS)], chance.choice((4, 12, 40, 200))
    return other[:where] + data[where:]


def _glue(data: bytes, chance: random.Random) -> bytes:
    """Two files in one: a picture that is a page, an archive or another picture too."""
    other = chance.choice(
        (
            b"<html><script>alert(1)</script>",
            b"PK\x03\x04" + bytes(30),
            b"%PDF-1.7\n",
            *GOOD.values(),
        )
    )
    return data + other if chance.random() < 0.5 else other + data


def _number(data: bytes, chance: random.Random) -> bytes:
    """A length or a size that cannot be."""
    if len(data) < 8:
        return data
    where = chance.randrange(len(data) - 4)
    number = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
    return data[:where] + number + data[where + 4 :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    start = chance.randrange(len(data))
    part = data[start : start + chance.randint(1, 64)]
    return data[:start] + part * chance.choice((2, 100, 1000)) + data[start:]
