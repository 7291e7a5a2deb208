"""Where a model comes from, for its card: trained on what, with what, and what it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from pawsight.data.duplicates import hash_files
from pawsight.inference.artifact import SEEN_FILE


def describe(network: str, labels: Sequence[str]) -> str:
    """A model in one sentence, for its card.

    Args:
        network: What it is.
        labels: What it tells apart, two or more.
    """
    named = f"{', '.join(labels[:-1])} and {labels[-1]}"
    return f"{network} that tells {named} apart in photographs, and says when it is neither."


def in_words(training: pd.DataFrame) -> str:
    """What was trained on, for a card: how many pictures of each label."""
    return ", ".join(
        f"{count} photographs of {label}"
        for label, count in training["label"].value_counts().sort_index().items()
    )


def versions(*names: str) -> dict[str, str]:
    """The versions of installed libraries, by name."""
    return {each: version(each) for each in names}


def write_seen(table: pd.DataFrame, output: Path, before: bytes = b"") -> None:
    """Write the hashes of what a network was trained on or chosen by.

    Args:
        table: ``path`` and ``split``.
        output: The folder.
        before: Hashes of what the network that it started from had seen.
    """
    seen = table.loc[table["split"] != "test", "path"].tolist()
    (output / SEEN_FILE).write_bytes(before + hash_files(seen).astype("<u8").tobytes())
