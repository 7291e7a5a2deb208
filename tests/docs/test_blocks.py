"""What the documentation shows works: its code is run, and its commands are ones that there are.

A block that is not run says why in a comment before it: `<!-- not run: … -->`. Of those that are,
lines that install something are left out.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from pawsight.cli import app
from pawsight.serving.app import create_app
from pawsight.serving.settings import Settings
from tests.command import run
from tests.drawn import draw
from tests.running import running

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<kind>sh|python)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
INSTALLS = ("pip install", "apt-get install")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    kind: str
    code: str
    why: str | None


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            line = text[: found.start("code")].count("\n") + 1
            yield Block(page.name, line, found["kind"], found["code"], found["why"])


RUN = [each for each in blocks() if each.why is None]
COMMANDS = [
    (f"{block.page}:{block.line}", command)
    for block in blocks()
    if block.kind == "sh"
    for command in block.code.replace("\\\n", " ").splitlines()
    if re.match(r"(PAWSIGHT_\w+=\S+ )*pawsight ", command)
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documentation speaks of, small."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copy(ROOT / "examples" / "cat.jpg", folder / "photo.jpg")
    labels, animals = ["path,label"], ["path,label"]
    for number in range(40):
        label = ("cat", "dog")[number % 2]
        name = f"{label}/{number}.png"
        for place in ("album", "pictures"):
            (folder / place / label).mkdir(parents=True, exist_ok=True)
            draw(label, number).save(folder / place / name)
        labels.append(f"{name},{label}")
        animals.append(f"{name},{('wolf', 'lion')[number % 2]}")
    (folder / "labels.csv").write_text("\n".join(labels))
    (folder / "animals.csv").write_text("\n".join(animals))
    shim = folder / "bin" / "pawsight"
    shim.parent.mkdir()
    shim.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from pawsight.cli import main; main()' \"$@\"\n"
    )
    shim.chmod(0o755)
    for name in ("before.jsonl", "after.parquet"):
        run("classify", folder / "album", "--model", "custom", "--output", folder / name)
    return folder


@pytest.fixture(scope="module")
def homes(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder for each page, in which its blocks are run one after the other."""
    there: dict[str, Path] = {}

    def home(page: str) -> Path:
        if page not in there:
            there[page] = tmp_path_factory.mktemp("page") / "home"
            shutil.copytree(filled, there[page])
        return there[page]

    return home


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with running(create_app(Settings(serve_models=("auto", "custom", "pretrained")))) as started:
        yield started.url.removeprefix("http://")


@pytest.mark.parametrize("block", RUN, ids=[f"{each.page}:{each.line}" for each in RUN])
def test_a_block_runs(
    block: Block, homes: Callable[[str], Path], request: pytest.FixtureRequest
) -> None:
    home = homes(block.page)
    code = block.code
    if "127.0.0.1:8000" in code:
        code = code.replace("127.0.0.1:8000", request.getfixturevalue("service"))
    if block.kind == "python":
        command = [sys.executable, "-c", code]
    else:
        lines = [each for each in code.splitlines() if not each.startswith(INSTALLS)]
        command = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
        if "curl" in code and not shutil.which("curl"):
            pytest.skip("curl is not installed")
    environment = {
        **os.environ,
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[where for where, _ in COMMANDS])
def test_a_command_is_one_that_there_is(where: str, command: str) -> None:
    words = shlex.split(command, comments=True)
    words = words[words.index("pawsight") + 1 :]
    words = [each for each in words if each not in ("&", "…")]
    at: Any = typer.main.get_command(app)
    while hasattr(at, "commands"):
        at = at.commands[words.pop(0)]
    at.make_context(where, words)


def test_what_is_not_run_says_why() -> None:
    assert len(RUN) >= 12
    for each in blocks():
        assert each.why is None or len(each.why) > 10, f"{each.page}:{each.line}"
