"""``make serve``, which starts two programs and must end both."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """``make serve`` with programs that only wait in the place of pawsight."""
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "pawsight"
    program.write_text(f"#!/bin/sh\n[ $1 = ${{FAILS:-none}} ] && exit 3\ntouch $0.$1\n"
                       f"exec {sys.executable} -c 'import time; time.sleep(600)'\n")  # fmt: skip
    program.chmod(0o755)
    for stamp in (".created", ".serve"):
        (tmp_path / stamp).touch()
    return ["make", "-C", str(ROOT), "serve", f"VENV={tmp_path}"]


@pytest.mark.parametrize("fails", ["serve", "ui"])
def test_where_one_ends_the_other_is_ended_too(command: list[str], fails: str) -> None:
    done = subprocess.run(
        command, env={**os.environ, "FAILS": fails}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode != 0
    assert "one of the two has ended" in done.stdout


def test_an_interrupt_ends_both_quietly(command: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # What a shell starts in the background ignores interrupts, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    begun = [tmp_path / "bin" / f"pawsight.{name}" for name in ("serve", "ui")]
    deadline = time.monotonic() + 60
    while not all(each.exists() for each in begun):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)  # ends when no process holds the pipe any more
    assert len(output.splitlines()) < 10
    assert "fault" not in output
