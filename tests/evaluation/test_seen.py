from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pawsight.data.duplicates import hash_file, hash_files
from pawsight.evaluation.seen import distances, read_seen, was_seen
from pawsight.inference.artifact import ModelFolder
from tests.drawn import draw


def test_what_was_trained_on_is_found_again_resized_and_recompressed(
    trained: Path, tmp_path: Path
) -> None:
    seen = read_seen([ModelFolder.open(trained)])
    assert seen is not None
    original = sorted((trained.parent / "pictures").glob("cat_2.png"))[0]
    copy, other = tmp_path / "copy.jpg", tmp_path / "other.png"
    Image.open(original).resize((300, 200)).save(copy, quality=30)
    draw("cat", 999).save(other)
    hashes = hash_files([str(original), str(copy), str(other)])
    assert distances(hashes, seen)[0] == 0
    assert was_seen(hashes, seen).tolist() == [True, True, False]


def test_a_picture_without_detail_was_never_seen(tmp_path: Path) -> None:
    file = tmp_path / "white.png"
    Image.new("RGB", (50, 50), "white").save(file)
    nothing = hash_file(str(file))[None]
    assert distances(nothing, nothing).tolist() == [256]
    assert distances(np.ones((1, 4), dtype=np.uint64), nothing).tolist() == [256]
