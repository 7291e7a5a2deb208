"""Hostile requests: what goes over the wire, byte by byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.mutations import hostile_json, hostile_picture

ONE_PICTURE = ("/predict/tiny", "/explain/tiny", "/compare", "/models/tiny")
INFER = "/v2/models/tiny/infer"
BATCH = "/predict/tiny/batch"


@dataclass(frozen=True)
class Hostile:
    """A request.

    Attributes:
        kind: What is wrong with it.
        data: All of it.
        whole: Whether it is complete, so that an answer must come.
        half_closed: Whether nothing is sent any more, which the server is told.
    """

    kind: str
    data: bytes
    whole: bool = True
    half_closed: bool = False


def hostile(chance: random.Random) -> Hostile:
    """Any of them."""
    make = chance.choices(list(_KINDS), weights=list(_KINDS.values()))[0]
    return make(chance)


def request(
    path: str, body: bytes, *headers: str, method: str = "POST", length: int | None = None
) -> bytes:
    """A request of HTTP/1.1 on a connection that is closed after it."""
    declared = len(body) if length is None else length
    lines = (f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers)
    head = "\r\n".join((*lines, f"Content-Length: {declared}", "", ""))
    return head.encode("latin-1") + body


def _picture(chance: random.Random) -> Hostile:
    kind = chance.choice(("image/jpeg", "image/png", "application/octet-stream", "image/x\xff"))
    data = hostile_picture(chance)
    return Hostile("picture", request(chance.choice(ONE_PICTURE), data, f"Content-Type: {kind}"))


def _form(chance: random.Random) -> Hostile:
    """A form whose parts, names and boundaries are as they should, or are not."""
    path = chance.choice((*ONE_PICTURE, BATCH))
    field = chance.choice(("file", "files", "files" if path == BATCH else "file", "\0", "x" * 5000))
    boundary = chance.choice(("x", "x", "x", "-" * 70, ""))
    parts = []
    for _ in range(chance.choice((0, 1, 1, 1, 2, 9))):
        name = chance.choice(('filename="a.jpg"', "filename=", 'filename="../../etc/passwd"', ""))
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; {name}\r\n\r\n'
        parts.append(head.encode("latin-1") + hostile_picture(chance) + b"\r\n")
    end = chance.choice((b"--", b"--\r\n", b"", b"\r\n"))
    body = b"".join(parts) + b"--" + boundary.encode() + end
    if chance.random() < 0.2:
        body = body[: chance.randrange(len(body) + 1)]
    return Hostile(
        "form", request(path, body, f"Content-Type: multipart/form-data; boundary={boundary}")
    )


def _json(chance: random.Random) -> Hostile:
    path = chance.choice(("/models/tiny", INFER))
    return Hostile("json", request(path, hostile_json(chance), "Content-Type: application/json"))


def _tensors(chance: random.Random) -> Hostile:
    """Binary tensors whose lengths do not fit."""
    picture = hostile_picture(chance)
    raw = chance.choice((len(picture), 0, 2**32 - 1)).to_bytes(4, "little") + picture
    said = chance.choice((len(raw), len(raw), 0, 7, 2**40))
    text = (
        b'{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES",'
        b'"parameters":{"binary_data_size":%d}}]}' % said
    )
    length = chance.choice((len(text), len(text), 0, 10, 10**9, -1))
    return Hostile(
        "tensors", request(INFER, text + raw, f"Inference-Header-Content-Length: {length}")
    )


def _parts(chance: random.Random) -> Hostile:
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n\r\n'
    if chance.random() < 0.5:
        part = part.replace(b'; filename="a"', b"")
    body = part * chance.choice((100, 10_000)) + b"--x--"
    path = chance.choice((BATCH, "/predict/tiny"))
    return Hostile("parts", request(path, body, "Content-Type: multipart/form-data; boundary=x"))


def _headers(chance: random.Random) -> Hostile:
    """Many, or long, or none that can be; also within the part of a form."""
    flood = chance.choice(
        (
            [f"X-{number}: y" for number in range(chance.choice((100, 2000)))],
            ["X-Long: " + "y" * chance.choice((1000, 30_000, 100_000))],
            ["Content-Type: multipart/form-data; boundary=" + "y" * 5000],
            ["X-Request-ID: " + "\xff" * 50, "Authorization: Bearer", "X-API-Key: \xff"],
            ["Content-Length: 3"],
            ["Transfer-Encoding: chunked"],
            ["Expect: 100-continue", "Content-Encoding: gzip"],
            ["Origin: null", "If-None-Match: *", "Accept: application/jsonl;q=\xff"],
            ["Bad header line", ": empty", "A\0B: c"],
        )
    )
    path = chance.choice((*ONE_PICTURE, BATCH, INFER))
    return Hostile("headers", request(path, b"\xff\xd8\xff", *flood))


def _part_headers(chance: random.Random) -> Hostile:
    flood = b"X-Y: z\r\n" * chance.choice((10, 5000))
    body = b"--x\r\n" + flood + b'Content-Disposition: form-data; name="file"\r\n\r\n1\r\n--x--'
    return Hostile(
        "part headers",
        request("/predict/tiny", body, "Content-Type: multipart/form-data; boundary=x"),
    )


def _address(chance: random.Random) -> Hostile:
    path = chance.choice(
        (
            "/predict/..%2f..%2fetc%2fpasswd",
            "/models/%00",
            "/models/tiny/load?folder=../../etc",
            "/explain/tiny?label=" + "%ff" * 500,
            "/" + "a" * chance.choice((10, 5000)),
            "/static-offline-docs/..%2f..%2f..%2fetc/passwd",
            "/static-offline-docs/../../../../etc/passwd",
            "//etc/passwd",
            "/predict/tiny?" + "&".join(f"a{number}=" for number in range(500)),
            "/v2/models/tiny/versions/../ready",
            "*",
        )
    )
    method = chance.choice(("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "PATCH"))
    return Hostile("address", request(path, b"", method=method))


def _length(chance: random.Random) -> Hostile:
    """A body that is shorter or longer than declared, or whose chunks are none."""
    picture = hostile_picture(chance)
    path = chance.choice((*ONE_PICTURE, INFER))
    if chance.random() < 0.3:
        chunks = b"%x\r\n%s\r\n" % (len(picture) + chance.choice((0, 1, 2**40)), picture)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        return Hostile("chunks", head.encode() + chunks, whole=False, half_closed=True)
    length = chance.choice((0, 1, len(picture) + 1, 10**6, 10**18))
    data = request(path, picture, length=length)
    return Hostile("length", data, whole=False, half_closed=chance.random() < 0.8)


def _noise(chance: random.Random) -> Hostile:
    """No HTTP, or the beginning of some."""
    good = request("/predict/tiny", hostile_picture(chance))
    noise = chance.choice(
        (
            chance.randbytes(chance.randint(1, 300)),
            good[: chance.randrange(len(good))],
            b"\x16\x03\x01\x02\x00" + chance.randbytes(100),
            b"GET / HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\r\n" * 500,
        )
    )
    return Hostile("noise", noise, whole=False, half_closed=chance.random() < 0.8)


_KINDS: dict[Callable[[random.Random], Hostile], float] = {
    _picture: 40,
    _form: 15,
    _json: 10,
    _tensors: 8,
    _headers: 6,
    _address: 8,
    _length: 6,
    _noise: 6,
    _part_headers: 1,
    _parts: 0.3,
}
