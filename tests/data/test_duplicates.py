from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from pawsight.data import duplicates
from pawsight.data.duplicates import (
    MAX_DISTANCE,
    group_near_duplicates,
    hash_files,
    perceptual_hash,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pawsight.images.decode import Pixels

Hashes = NDArray[np.uint64]

Photograph = Callable[..., Image.Image]


def distance(one: Hashes, other: Hashes) -> int:
    return sum(int(word).bit_count() for word in one ^ other)


def hashed(image: Image.Image) -> Hashes:
    return perceptual_hash(np.asarray(image.convert("RGB")))


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.mark.parametrize("seed", range(8))
def test_copies_of_a_picture_hash_alike(photograph: Photograph, seed: int) -> None:
    image = photograph(seed, (300, 200))
    first = hashed(image)
    for copy in (
        image.resize((200, 200)),
        image.resize((90, 160)),
        recompressed(image, 20),
        image.convert("L"),
        ImageEnhance.Brightness(image).enhance(1.2),
        image.crop((2, 2, 298, 198)),
    ):
        assert distance(first, hashed(copy)) <= MAX_DISTANCE


def test_different_pictures_hash_differently(photograph: Photograph) -> None:
    hashes = [hashed(photograph(seed)) for seed in range(40)]
    closest = min(distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i])
    assert closest > MAX_DISTANCE + 20


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (64, 64)])
def test_flat_pictures_are_like_nothing(photograph: Photograph, size: tuple[int, int]) -> None:
    white = perceptual_hash(np.full((*size, 3), 255, dtype=np.uint8))
    noise = np.random.default_rng(0).integers(100, 104, (*size, 3), dtype=np.uint8)
    assert not white.any()
    assert not perceptual_hash(noise).any()
    groups = group_near_duplicates(np.stack([white, hashed(photograph(1)), white]))
    assert len(set(groups)) == 3


def test_a_hash_is_four_words_the_first_bit_highest(photograph: Photograph) -> None:
    found = hashed(photograph(0))
    assert found.dtype == np.uint64
    assert found.shape == (4,)
    assert int(found[0]) >> 63 == 1  # the mean of the picture: above the median frequency


def test_links_join_groups_across_blocks() -> None:
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, (2000, 4), dtype=np.uint64)
    chain = hashes[0].copy()
    for step, row in enumerate((700, 1400, 1999)):  # each 40 bits from the last, 80 and more apart
        chain[step] ^= np.uint64(2**40 - 1)
        hashes[row] = chain
    groups = group_near_duplicates(hashes, 48)
    assert len(set(groups[[0, 700, 1400, 1999]])) == 1
    assert len(set(groups)) == 1997
    assert len(set(group_near_duplicates(hashes, 39))) == 2000


def plain_groups(hashes: Hashes, max_distance: int) -> list[set[int]]:
    """The same, written as one would explain it."""
    groups = [{row} for row in range(len(hashes))]
    for a in range(len(hashes)):
        for b in range(a):
            telling = hashes[a].any() and hashes[b].any()
            if telling and distance(hashes[a], hashes[b]) <= max_distance:
                both = [group for group in groups if a in group or b in group]
                groups = [group for group in groups if group not in both] + [set().union(*both)]
    return groups


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(0, 15)),
    st.integers(0, 6),
)
def test_groups_are_connected_components(hashes: Hashes, max_distance: int) -> None:
    groups = group_near_duplicates(hashes, max_distance)
    found = [set(np.flatnonzero(groups == number).tolist()) for number in set(groups.tolist())]
    assert sorted(map(sorted, found)) == sorted(map(sorted, plain_groups(hashes, max_distance)))


def test_a_squashed_picture_is_grouped_with_itself_and_no_other(shared_data: Path) -> None:
    native = sorted((shared_data / "native").glob("*.jpg"))[::14]
    squashed = [shared_data / "dogs-vs-cats/images" / path.name for path in native]
    assert len(native) == 200
    groups = group_near_duplicates(hash_files([str(path) for path in native + squashed]))
    assert np.array_equal(groups[:200], groups[200:])
    assert len(set(groups.tolist())) == 200


def test_known_twins_of_the_competition_are_found(shared_data: Path) -> None:
    folder = shared_data / "dogs-vs-cats/images"
    twins = [("cat.10052", "cat.1930"), ("dog.8591", "dog.39"), ("cat.8456", "dog.8736")]
    paths = [str(folder / f"{name}.jpg") for pair in twins for name in pair]
    groups = cast("list[int]", group_near_duplicates(hash_files(paths)).tolist())
    assert groups[::2] == groups[1::2]
    assert len(set(groups)) == 3


def test_files_are_hashed_in_their_order(photograph: Photograph, tmp_path: Path) -> None:
    for seed in range(3):
        photograph(seed).save(tmp_path / f"{seed}.png")
    calls: list[tuple[int, int]] = []
    paths = [str(tmp_path / f"{seed}.png") for seed in range(3)]
    hashes = hash_files(paths, lambda done, of: calls.append((done, of)))
    assert np.array_equal(hashes, [hashed(photograph(seed)) for seed in range(3)])
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert hash_files([]).shape == (0, 4)


def test_a_file_is_hashed_anew_only_where_it_has_changed(
    photograph: Photograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Hashes] = []

    def watched(pixels: Pixels) -> Hashes:
        looked.append(perceptual_hash(pixels))
        return looked[-1]

    monkeypatch.setattr(duplicates, "perceptual_hash", watched)
    file = tmp_path / "picture.png"
    photograph(0).save(file)
    first, again = hash_files([str(file)]), hash_files([str(file)])
    assert (first == again).all()
    assert len(looked) == 1
    photograph(1).save(file)
    assert distance(first[0], hash_files([str(file)])[0]) > MAX_DISTANCE
