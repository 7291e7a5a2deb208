"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

from importlib.resources import files

from pawsight.evaluation.plots import plots
from pawsight.evaluation.report import Report
from pawsight.html import render_template


def render_page(report: Report) -> str:
    """The whole page, with plots and thumbnails inside."""
    template = (files("pawsight.evaluation") / "page.html.jinja").read_text(encoding="utf-8")
    return render_template(template, report=report.as_dict(), plots=plots(report.evaluations))
