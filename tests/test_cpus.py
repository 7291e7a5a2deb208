"""Threads follow the container's quota, whatever the host has."""

from __future__ import annotations

from pathlib import Path

import pillow_heif
import pytest
from PIL import AvifImagePlugin

from pawsight.cpus import usable_cpus
from pawsight.inference.catalog import load
from pawsight.serving.settings import Settings
from pawsight.serving.state import State
from tests.model_folders import make_model_folder


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of 64 processors."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 64)],
)
def test_version_2(tmp_path: Path, quota: str, expected: int) -> None:
    assert usable_cpus(write(tmp_path, **{"cpu.max": quota}), tmp_path / "none") == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000\n", 3), ("-1\n", 64)])
def test_version_1(tmp_path: Path, quota: str, expected: int) -> None:
    root = write(tmp_path, **{"cpu/cpu.cfs_quota_us": quota, "cpu/cpu.cfs_period_us": "100000\n"})
    assert usable_cpus(root, tmp_path / "none") == expected


@pytest.mark.parametrize(
    ("membership", "file"),
    [
        ("0::/system.slice/pawsight.service\n", "system.slice/pawsight.service/cpu.max"),
        ("0::/system.slice/pawsight.service\n", "system.slice/cpu.max"),
        ("0::/../other\n", "cpu.max"),
    ],
)
def test_the_group_of_the_process_and_those_around_it_count(
    tmp_path: Path, membership: str, file: str
) -> None:
    root = write(tmp_path / "groups", **{file: "400000 100000\n"})
    member = write(tmp_path, cgroup=membership) / "cgroup"
    assert usable_cpus(root, member) == 4


def test_version_1_below_the_root(tmp_path: Path) -> None:
    root = write(
        tmp_path / "groups",
        **{
            "cpu/docker/abc/cpu.cfs_quota_us": "200000",
            "cpu/docker/abc/cpu.cfs_period_us": "100000",
        },
    )
    member = write(tmp_path, cgroup="5:cpu,cpuacct:/docker/abc\n1:memory:/else\n") / "cgroup"
    assert usable_cpus(root, member) == 2


def test_no_quota_at_all(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path, tmp_path / "none") == 64


def test_networks_and_readers_have_the_threads_of_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = write(tmp_path / "groups", **{"cpu.max": "300000 100000"})
    monkeypatch.setattr(usable_cpus, "__defaults__", (groups, tmp_path / "none"))
    folder = make_model_folder(tmp_path / "tiny")
    assert load(str(folder)).threads == 3
    state = State.load(Settings(serve_models=(str(folder),)))
    assert state.models.loaded["tiny"].threads == 3
    assert state.scheduler.threads == 4  # one more, for while one waits for the interpreter
    assert (AvifImagePlugin.DEFAULT_MAX_THREADS, pillow_heif.options.DECODE_THREADS) == (1, 1)
