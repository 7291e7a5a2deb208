"""Make the tables that the embedded models are trained and measured with.

    python scripts/tables.py DATA OUTPUT

DATA holds the folders that are described below; OUTPUT gets:

- ``training.csv``: every picture with its split and its kind. Test rows: photographs of Dogs vs.
  Cats whose number divides by 10, of breeds by 5, and every fifth of neither in sorted order.
  Validation rows: a number that leaves 5 on division by 20, 1 on division by 10, and the picture
  after the test one. A photograph of Dogs vs. Cats that is there in its own shape trains in that
  shape alone.
- ``kaggle-test.csv``, ``native-test.csv``, ``breeds-test.csv``, ``neither-test.csv``: the test
  rows, a table for each kind of picture; ``test.csv``: all of them. Of neither, the wild relatives
  of cats and dogs are a kind of their own: they are the hard ones.

Paths are relative to DATA. Which pictures look alike is left to ``pawsight train``.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# Known to show no animal (text) and both animals.
HOPELESS = {"dog.5604.jpg", "cat.1450.jpg"}

WILD = re.compile(r"wolf|lion|c101_(Leopards|cougar)")

Row = tuple[str, str, str, str]
"""Path, label, split, and the kind of picture."""


def main(data: Path, output: Path) -> None:
    rows = [*kaggle(data), *breeds(data), *neither(data)]
    output.mkdir(parents=True, exist_ok=True)
    tests = [row for row in rows if row[2] == "test"]
    write(output / "test.csv", tests)
    # A picture that is there in two shapes is tested once in the training table.
    write(output / "training.csv", (row for row in rows if row[2:] != ("test", "native")))
    for kind in ("kaggle", "native", "breeds", "neither"):
        write(output / f"{kind}-test.csv", (row for row in tests if row[3].startswith(kind)))


def kaggle(data: Path) -> Iterator[Row]:
    native = {picture.name for picture in (data / "native").glob("*.jpg")}
    for picture in sorted((data / "dogs-vs-cats" / "images").glob("*.jpg")):
        number = number_of(picture)
        split = "test" if number % 10 == 0 else "validation" if number % 20 == 5 else "train"
        label = picture.name.split(".")[0]
        if split != "test" and picture.name in HOPELESS:
            continue
        if split != "train" or picture.name not in native:
            yield f"dogs-vs-cats/images/{picture.name}", label, split, "kaggle"
        if picture.name in native:
            yield f"native/{picture.name}", label, split, "native"


def breeds(data: Path) -> Iterator[Row]:
    for picture in sorted((data / "breeds" / "images").glob("*.jpg")):
        number = number_of(picture)
        split = "test" if number % 5 == 0 else "validation" if number % 10 == 1 else "train"
        yield f"breeds/images/{picture.name}", picture.name.split("_")[0], split, "breeds"


def neither(data: Path) -> Iterator[Row]:
    for place, picture in enumerate(sorted((data / "neither").glob("*.jpg"))):
        split = {0: "test", 1: "validation"}.get(place % 5, "train")
        if WILD.match(picture.name):
            kind = "neither: wild relatives"
        elif picture.name.startswith("c101_"):
            kind = "neither: mostly objects"
        else:
            kind = "neither: other animals"
        yield f"neither/{picture.name}", "neither", split, kind


def number_of(picture: Path) -> int:
    return int(re.findall(r"\d+", picture.name)[-1])


def write(file: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "split", "kind"])
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
