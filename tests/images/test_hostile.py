"""Whatever the bytes are, the answer is a picture or a refusal in words."""

from __future__ import annotations

import re
import threading
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pawsight.images import decode as module
from pawsight.images.decode import decode
from pawsight.images.errors import DamagedImage, ImageError, ImageTooLarge
from tests.images.pictures import samples

_WORDS = re.compile(r"(not an image|unsupported format|truncated|damaged|too large): \S.*")


def _answer(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels = decode(data, at_least=(8, 8))
        except ImageError as refusal:
            words = str(refusal)
        else:
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
            assert pixels.size
            return
    assert _WORDS.fullmatch(words), words
    assert not re.search(r"0x[0-9a-f]|Traceback|BytesIO|/|\\|None", words), words


_Edit = tuple[float, int, bytes]
_EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),  # where
        st.integers(0, 24),  # how many bytes are taken away
        st.binary(max_size=12),  # what is put in their place
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(name=st.sampled_from(sorted(samples())), edits=_EDITS)
def test_files_with_bytes_changed_added_and_taken_away(name: str, edits: list[_Edit]) -> None:
    data = samples()[name].data
    for where, taken, put in edits:
        at = int(where * len(data))
        data = data[:at] + put + data[at + taken :]
    _answer(data)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(
    name=st.sampled_from(sorted(samples())),
    flips=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 7)), min_size=1, max_size=4),
)
def test_headers_with_bits_flipped(name: str, flips: list[tuple[int, int]]) -> None:
    data = bytearray(samples()[name].data)
    for at, bit in flips:
        data[at % len(data)] ^= 1 << bit
    _answer(bytes(data))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(name=st.sampled_from(sorted(samples())), rest=st.binary(max_size=200))
@example(name="gif", rest=b"\x2c" * 40)
def test_beginnings_of_files_with_anything_behind(name: str, rest: bytes) -> None:
    for kept in (4, 12, 32, 100):
        _answer(samples()[name].data[:kept] + rest)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(first=st.sampled_from(sorted(samples())), second=st.sampled_from(sorted(samples())))
def test_two_files_in_one(first: str, second: str) -> None:
    head, tail = samples()[first].data, samples()[second].data
    _answer(head + tail)
    _answer(head[: len(head) // 2] + tail)
    _answer(head[:40] + tail[40:])


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (RuntimeError("<_io.BytesIO object at 0x7f00> in /usr/lib"), DamagedImage),
        (AssertionError(), DamagedImage),
        (RecursionError(), DamagedImage),
        (SystemError("decoder returned NULL"), DamagedImage),
        (MemoryError(), ImageTooLarge),
    ],
)
def test_whatever_a_decoder_raises_becomes_a_refusal(
    error: Exception, refusal: type[ImageError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(kind: str, data: bytes) -> None:
        raise error

    monkeypatch.setattr(module, "_open", fail)
    with pytest.raises(refusal) as refused:
        decode(samples()["png"].data)
    assert _WORDS.fullmatch(str(refused.value))
    assert "0x" not in str(refused.value)


def test_a_user_who_stops_the_program_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(kind: str, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_open", interrupt)
    with pytest.raises(KeyboardInterrupt):
        decode(samples()["png"].data)


def test_a_refusal_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    for name in ("avif", "heic", "webp"):
        _answer(samples()[name].data[:300])
    assert threading.active_count() == before
