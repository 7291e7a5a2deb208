"""What was wrong with a table of labels, in words that tell a person what to do about it."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLES = 3
"""How many rows of each kind a report shows."""


class TableError(ValueError):
    """A table that cannot be used at all. ``str(error)`` says why and what to do."""


class UnclearColumn(TableError):
    """It is not clear which column of a table holds its paths, or its labels.

    Attributes:
        content: ``path`` or ``label``.
    """

    def __init__(self, words: str, content: str) -> None:
        super().__init__(words)
        self.content = content


class NothingUsable(TableError):
    """No row of a table can be used.

    Attributes:
        problems: Why, for each.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"nothing here can be used:\n{report(problems)}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """One row that is not used, or one thing about the table that a person should know.

    Attributes:
        row: The data row, counted from 1 without the header and without blank lines; 0 where a
            folder takes the table's place or no single row is meant.
        path: The path as the table gives it; empty where no single row is meant.
        code: The kind of problem, such as ``missing-label``.
        reason: What is wrong.
        advice: What to do about it.
    """

    row: int
    path: str
    code: str
    reason: str
    advice: str

    def __str__(self) -> str:
        place = f"row {self.row}, {self.path}: " if self.row else f"{self.path}: "
        return (place if self.path else "") + self.reason


def report(problems: Iterable[Problem], examples: int = EXAMPLES) -> str:
    """Lay problems out for reading: by kind, each with its count, examples and advice.

    Args:
        problems: In any order.
        examples: How many of each kind are shown.

    Returns:
        Several lines, the commonest kind first; empty where there are no problems.
    """
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.code, []).append(problem)
    lines: list[str] = []
    for code, members in sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0])):
        lines.append(f"{len(members)} × {code.replace('-', ' ')}")
        lines += [f"    {problem}" for problem in members[:examples]]
        if len(members) > examples:
            lines.append(f"    and {len(members) - examples} more")
        lines.append(f"  → {members[0].advice}")
    return "\n".join(lines)


COLUMNS: Final = tuple(field.name for field in fields(Problem))
"""Of the table that :func:`write_problems` writes."""


def write_problems(problems: Iterable[Problem], file: Path) -> None:
    """Write all problems as CSV: ``row``, ``path``, ``code``, ``reason``, ``advice``.

    Raises:
        OSError: The file cannot be written.
    """
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(problem) for problem in problems)
