"""Run the notebooks and keep their outputs, but for the photographs that they show.

    python scripts/notebooks.py [NOTEBOOK …]

Cells with the tag ``photographs`` show pictures that we learn from, which are not ours to publish.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


def main() -> None:
    for path in map(Path, sys.argv[1:]) if len(sys.argv) > 1 else sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": FOLDER}}).execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it was run
            if "photographs" in cell.metadata.get("tags", ()):
                cell.outputs = []
            for output in cell.get("outputs", ()):
                if output.output_type == "stream" and output.name == "stderr":
                    output.text = ""
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
