"""The service as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pawsight.inference.errors import UnknownModel
from pawsight.serving.server import serve
from pawsight.serving.settings import Settings
from tests.pictures import picture


def test_a_process_serves_until_it_is_told_to_stop(tiny: Path) -> None:
    code = (
        "from pawsight.serving.server import serve; from pawsight.serving.settings import Settings;"
        f"serve(Settings(port=0, serve_models=({str(tiny)!r},)))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if url := re.search(r"http://127\.0\.0\.1:\d+", line):
                    break
            else:
                pytest.fail("".join(lines))
            answer = httpx.post(
                f"{url[0]}/predict/tiny", files={"file": picture("red")}, timeout=60
            )
            assert answer.json()["label"] == "cat"
            process.send_signal(signal.SIGTERM)
            assert "Finished server process" in process.stderr.read()
        finally:
            process.kill()


def test_an_unknown_model_is_said_before_anything_is_listened_to() -> None:
    with pytest.raises(UnknownModel, match="no model 'nothing'"):
        serve(Settings(serve_models=("nothing",)))
