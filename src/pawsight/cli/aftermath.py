"""What `pawsight classify` does with the rows beside writing them: sorts the files, shows some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pawsight.cli.common import fail
from pawsight.plurals import counted

if TYPE_CHECKING:
    from pawsight.bulk.review import LeastSure
    from pawsight.bulk.rows import Row
    from pawsight.bulk.sorting import Sorter


class Aftermath:
    """Takes every row once.

    Args:
        sorter: Puts the files into folders; None where they stay.
        review: Keeps the least sure; None where nobody looks at them.
        sheet: The page of those.
    """

    def __init__(self, sorter: Sorter | None, review: LeastSure | None, sheet: Path) -> None:
        self._sorter = sorter
        self._review = review
        self._sheet = sheet

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._sorter or self._review)

    @property
    def _does(self) -> str:
        return "move" if self._sorter and self._sorter.move else "copy"

    def take(self, row: Row) -> None:
        """Look at one row."""
        if self._review:
            self._review.take(row)
        if self._sorter is None:
            return
        try:
            target = self._sorter.take(row)
        except OSError as error:
            place = error.filename2 or error.filename or ""
            words = f"cannot {self._does} {row['path']!r}, by way of {str(place)!r}"
            fail(f"{words}: {error.strerror or error}")
        if target and self._sorter.dry_run:
            from pawsight.bulk.items import as_text
            from pawsight.terminal import for_terminal

            names = (for_terminal(row["path"]), for_terminal(as_text(str(target))))
            typer.echo(f"{self._does} {' → '.join(names)}", err=True)

    def finish(self) -> None:
        """Write the page, and say what was done."""
        if self._review:
            self._write_sheet(self._review)
        if self._sorter:
            sorter = self._sorter
            done = "moved" if sorter.move else "copied"
            words = [f"{sorter.sorted:,} {'would be ' if sorter.dry_run else ''}{done}"]
            words += [f"{sorter.there:,} there already"] if sorter.there else []
            left = f"{sorter.left:,} left, in an archive or not there any more"
            words += [left] if sorter.left else []
            typer.echo(f"pawsight: {', '.join(words)}", err=True)

    def _write_sheet(self, review: LeastSure) -> None:
        from pawsight.bulk.review import render_sheet

        shown = [
            {"path": row["path"], "said": [f"{row['label']} ({row['confidence']:.1%})"]}
            for row in review.rows
        ]
        page = render_sheet(
            shown,
            "the least sure answers",
            f"{counted(len(shown), 'picture')}, the least sure first.",
        )
        try:
            self._sheet.write_text(page, encoding="utf-8")
        except OSError as error:
            fail(f"cannot write {str(self._sheet)!r}: {error.strerror}")
        typer.echo(
            f"pawsight: {str(self._sheet)!r} shows the least sure of those that were named, "
            f"{counted(len(shown), 'picture')}; what was called neither is not among them",
            err=True,
        )


def aftermath(
    paths: list[str],
    output: Path | None,
    *,
    copy_to: Path | None,
    move_to: Path | None,
    min_confidence: float | None,
    dry_run: bool,
    review: int | None,
) -> Aftermath:
    """What the options ask for; nonsense is refused."""
    from pawsight.bulk.globs import finds_in
    from pawsight.bulk.review import LeastSure
    from pawsight.bulk.sorting import Sorter

    folder = move_to or copy_to
    if copy_to and move_to:
        fail("--copy-to and --move-to: choose one")
    if folder is None and (dry_run or min_confidence is not None):
        fail("--dry-run and --min-confidence are about --copy-to or --move-to")
    if folder is not None:
        if output and folder.resolve() == output.resolve():
            fail(f"{str(folder)!r} is to be the folder of the pictures and the --output: name two")
        if folder.exists() and not folder.is_dir():
            fail(f"{str(folder)!r} is a file, and a folder for the pictures is wanted")
        if inside := [path for path in paths if finds_in(path, folder)]:
            fail(
                f"{inside[0]!r} finds what is in {str(folder)!r}, so that the next run would find "
                "the pictures twice: name a folder elsewhere"
            )
    sorter = Sorter(folder, move_to is not None, min_confidence or 0.0, dry_run) if folder else None
    sheet = output.with_name(f"{output.name}.review.html") if output else Path("review.html")
    if review and not output and sheet.exists():
        fail(f"{str(sheet)!r} is there already: move it away, or name an --output")
    return Aftermath(sorter, LeastSure(review) if review else None, sheet)
