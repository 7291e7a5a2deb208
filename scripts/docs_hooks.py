"""What the documentation takes from the program itself: references, model cards, the live demo."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from pawsight.cli import app
from pawsight.serving.app import create_app

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "src" / "pawsight" / "weights"
RUNTIME = ROOT / "build" / "docs" / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and the files that are made, not written."""
    pages = {
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "reference/cli.md": commands(),
        "reference/http.md": addresses(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    files.append(
        File.generated(config, "curve.svg", content=(WEIGHTS / "auto" / "curve.svg").read_bytes())
    )
    for name, path in demo():
        files.append(File.generated(config, f"demo/{name}", abs_src_path=str(path)))
    return files


def on_page_content(html: str, page: Any, **_: object) -> str:  # noqa: ANN401 - mkdocs' page
    """Start the demo on its page."""
    if page.file.src_uri == "demo.md":
        return f'{html}<script type="module" src="demo/demo.js"></script>'
    return html


def demo() -> Iterator[tuple[str, Path]]:
    """The files that the live demo needs beside its own."""
    for name in RUNTIME_FILES:
        if not (RUNTIME / name).is_file():
            raise PluginError(
                "the live demo needs onnxruntime-web: `make docs` fetches it (npm), or "
                "`npm install --prefix build/docs onnxruntime-web`"
            )
        yield f"ort/{name}", RUNTIME / name
    for name in ("model.onnx", "model.json"):
        yield name, WEIGHTS / "custom" / name
    for name in ("cat.jpg", "coffee.jpg", "rocket.jpg"):
        yield name, ROOT / "examples" / name


def models() -> str:
    """The cards of the embedded models, one below the other."""
    parts = ["# The models\n\nTheir cards, as each folder carries its own.\n"]
    for name in ("auto", "custom", "pretrained"):
        card = (WEIGHTS / name / "README.md").read_text(encoding="utf-8")
        card = re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL)
        parts.append(re.sub(r"^(#+) ", r"#\1 ", card, flags=re.MULTILINE))
    return "\n".join(parts)


def commands() -> str:
    """What every command says of itself."""
    parts = ["# Command line\n\nWhat `pawsight COMMAND --help` says.\n"]
    for path in _below(typer.main.get_command(app)):
        said = subprocess.run(
            [sys.executable, "-c", "from pawsight.cli import main; main()", *path, "--help"],
            env={**os.environ, "TYPER_USE_RICH": "0", "COLUMNS": "100", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.replace("Usage: -c ", "Usage: pawsight ")
        parts.append(f"## pawsight {' '.join(path)}\n\n```text\n{said.strip()}\n```\n")
    return "\n".join(parts)


def _below(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401
    """The commands of a group, and of the groups in it, by the words that call them."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, each in command.commands.items():
        yield from _below(each, (*path, name))


def _plain(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").replace("\f", "").splitlines())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def addresses() -> str:
    """What every address takes and answers, from the OpenAPI document."""
    document = create_app().openapi()
    parts = [
        "# HTTP\n\nFrom the OpenAPI document, which the service has at `/openapi.json`; `/docs` "
        "lets one try it. What is behind it, settings and errors: [Serve it](../service.md).\n"
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(f"## {method.upper()} {path}\n\n{_operation(operation)}")
    parts.append("## Forms\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        parts.append(f"### {name}\n\n```json\n{text}\n```\n")
    return "\n".join(parts)


def _operation(operation: dict[str, Any]) -> str:
    parts = [f"{operation.get('summary', '')}\n", f"{_plain(operation.get('description'))}\n"]
    if rows := [
        f"| `{each['name']}` | {each['in']} | {_cell(each.get('description', ''))} |"
        for each in operation.get("parameters", ())
    ]:
        parts.append("| parameter | in | |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    if content := operation.get("requestBody", {}).get("content"):
        parts.append(f"Body: {', '.join(f'`{name}`' for name in content)}.\n")
    answers = [
        f"| {code} | {_cell(_answer(each))} | {_cell(each.get('description', ''))} |"
        for code, each in operation["responses"].items()
    ]
    parts.append("| status | form | |\n|---|---|---|\n" + "\n".join(answers) + "\n")
    return "\n".join(parts)


def _answer(response: dict[str, Any]) -> str:
    forms = []
    for kind, content in response.get("content", {}).items():
        schema = content.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        forms.append(f"{kind} {name}".strip())
    return ", ".join(forms)


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:  # noqa: ANN401 - mkdocs' page
    """The cards themselves, and links to files of the repository that the site has elsewhere."""
    if page.file.src_uri == "models.md":
        return models()
    return markdown.replace("../src/pawsight/weights/auto/curve.svg", "curve.svg")
