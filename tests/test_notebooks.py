"""Every notebook runs, on a few pictures; what is kept is small and shows no photographs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_it_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAWSIGHT_NOTEBOOK_PICTURES", "12")
    monkeypatch.setenv("PAWSIGHT_NOTEBOOK_EPOCHS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": FOLDER}}).execute()


def test_they_run_on_drawings_where_there_are_no_photographs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAWSIGHT_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(FOLDER / "01-data.ipynb", as_version=4)
    notebook.cells = notebook.cells[:6]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": FOLDER}}).execute()
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    )
    assert "drawings" in said


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_what_is_kept_is_small_and_shows_no_photographs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < 600_000
    for cell in notebook.cells:
        if "photographs" in cell.metadata.get("tags", ()):
            assert cell.outputs == []
    assert any(cell.get("outputs") for cell in notebook.cells), "scripts/notebooks.py keeps them"
