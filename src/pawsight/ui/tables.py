"""Tables as HTML, which a screen reader can walk; everything is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, words: bool = False
) -> str:
    """A table whose first column names its rows.

    Args:
        head: Of each column.
        rows: As many cells each.
        caption: For those who do not see it.
        words: Whether its cells are words, and not figures.
    """
    named = f'<caption class="paw-unseen">{escape(caption)}</caption>'
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(each)}</td>" for each in rest)
        + "</tr>"
        for first, *rest in rows
    )
    kind = "paw-table paw-words" if words else "paw-table"
    return (
        f'<div class="paw-wide" tabindex="0" role="group" aria-label="{escape(caption)}">'
        f'<table class="{kind}">{named}<thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def confusion(model: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Right label → answered label → pictures, each cell shaded by its part of the row."""
    columns = list(next(iter(counts.values()), {}))
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in columns)
    body = ""
    for truth, answers in counts.items():
        total = sum(answers.values()) or 1
        cells = "".join(
            f'<td class="{"paw-hit" if name == truth else "paw-miss"}"'
            f' style="--part: {100 * count / total:.0f}%">{count}</td>'
            for name, count in answers.items()
        )
        body += f'<tr><th scope="row">{escape(truth)}</th>{cells}</tr>'
    return (
        f'<figure class="paw-confusion"><figcaption>{escape(model)}</figcaption>'
        f"<table><thead><tr><td></td>{top}</tr></thead><tbody>{body}</tbody></table></figure>"
    )


def share(value: float | None) -> str:
    """``99.15 %``; a dash for what was not measured."""
    return "–" if value is None else f"{value:.2%}"
