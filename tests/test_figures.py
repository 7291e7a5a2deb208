"""What the README says of the models is what their cards say."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.ablation import RESULTS, as_table, read
from scripts.figures import BEGIN, END, KINDS, MODELS

from pawsight.inference.catalog import resolve

README = Path(__file__).parents[1] / "README.md"
CARDS = {"kaggle": "Kaggle test", "native": "native test", "breeds": "breeds test"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_has_the_figures_of_the_cards(kind: str) -> None:
    written = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    [row] = [line for line in written.splitlines() if line.startswith(f"| {KINDS[kind]} |")]
    _, _, _, *cells, _ = row.split("|")
    for name, cell in zip(MODELS, cells, strict=True):
        card, _ = resolve(name).described()
        [measured] = [each for each in card.card.metrics if each.data == CARDS[kind]]
        assert cell.split("(")[0].strip() == f"{100 * measured.accuracy:.2f} %"


def test_the_table_of_ingredients_is_what_was_measured() -> None:
    written = (README.parent / "docs" / "training.md").read_text(encoding="utf-8")
    assert as_table(read(RESULTS)) in written
