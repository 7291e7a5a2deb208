"""The report in a terminal: a few lines for each model."""

from __future__ import annotations

from collections.abc import Iterator

from pawsight.evaluation.evaluate import Evaluation
from pawsight.evaluation.report import Report
from pawsight.plurals import counted


def summary(report: Report) -> str:
    """What matters most of a report, over several lines for people."""
    lines = list(_seen(report))
    for each in report.evaluations:
        lines.append(f"{each.model.name} on {each.data}: {counted(len(each.labels), 'picture')}")
        lines += (f"  {line}" for line in (*_figures(each), *_confusion(each)))
        lines += (f"  {group.name}: {_in_short(each.of(group.rows))}" for group in report.groups)
    for pair in report.comparisons():
        lines.append(
            f"{pair.one} alone is right about {pair.only_one}, {pair.other} alone about "
            f"{pair.only_other}: p = {pair.p_value:.2g} (McNemar)"
        )
    return "\n".join(lines)


def _seen(report: Report) -> Iterator[str]:
    for model, count in report.seen.items():
        parent = report.parents.get(model)
        who = f"{model}, or {parent} whose network it has," if parent else model
        if count is None:
            yield f"what {model} was trained on is not known"
        elif count:
            are = "is" if count == 1 else "are"
            what = "measured all the same" if report.keeps_seen else "left out"
            yield (
                f"{counted(count, 'picture')} {are} {what}: {who} was trained on "
                f"{'it' if count == 1 else 'them'} or on {'its' if count == 1 else 'their'} like"
            )


def _figures(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.accuracy is not None:
        yield f"accuracy  {evaluation.accuracy:.2%}  {_interval(evaluation.accuracy_interval)}"
        yield f"ECE       {evaluation.ece:.2%}"
        yield f"loses     {evaluation.loses:.2%} to neither"
    if evaluation.catches is not None:
        yield f"catches   {evaluation.catches:.2%}  {_interval(evaluation.catches_interval)}"
    if evaluation.auroc is not None:
        yield f"AUROC     {evaluation.auroc:.4f}"
    if evaluation.sent_on is not None:
        shares = (f"{share:.1%} {name}" for name, share in evaluation.decided.items())
        yield f"named by  {', '.join(shares)}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"(95 % interval {interval[0]:.2%} to {interval[1]:.2%})"


def _confusion(evaluation: Evaluation) -> Iterator[str]:
    for truth, answers in evaluation.confusion.items():
        said = ", ".join(f"{count} {answer}" for answer, count in answers.items() if count)
        yield f"{truth:<9} → {said}"


def _in_short(part: Evaluation) -> str:
    figures = [counted(len(part.labels), "picture")]
    if part.accuracy is not None:
        figures.append(f"accuracy {part.accuracy:.2%}")
    if part.catches is not None:
        figures.append(f"catches {part.catches:.2%}")
    if part.sent_on is not None:
        figures.append(f"sent on {part.sent_on:.1%}")
    return ", ".join(figures)
