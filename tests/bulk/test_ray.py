"""Many machines: a real Ray cluster of two nodes of one processor each, on this machine."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pawsight.bulk.partitions import Partition, partitioned, weight
from pawsight.bulk.parts import Parts, packed
from pawsight.bulk.rows import Record
from pawsight.bulk.sources import find_unopened
from pawsight.training.search_space import SearchSpace, Span
from pawsight.training.tune import tune
from tests.command import run
from tests.drawn import draw, drawn_table
from tests.training.recipes import TINY

CODE = "from pawsight.cli import main; main()"
PICTURES = 60
PATIENCE = 400  # seconds


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose first node has one processor; a test may add others, and lose them."""
    pytest.importorskip("ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A proxy that is not ready in 5 seconds is ended, and another begun: for ever, on a busy one.
    os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "60")
    from ray.cluster_utils import Cluster

    started: Any = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    yield started
    started.shutdown()


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    for number in range(PICTURES - 1):
        draw(("cat", "dog")[number % 2], number).save(folder / f"{number:03}.png")
    draw("cat", 5).resize((300, 300)).save(folder / "005.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def begin(
    cluster: Any, album: Path, model: Path, output: Path, *more: str
) -> subprocess.Popen[str]:
    where = ("--output", output, "--ray", cluster.address)
    command = ["classify", album, "--model", model, *where]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, command), "--partition", "4", *more],
        stderr=subprocess.PIPE,
        text=True,
    )


def answered(output: Path) -> Counter[str]:
    return Counter(Path(row["path"]).name for row in Parts(output).rows())


def test_a_node_lost_in_the_middle_costs_no_picture_and_doubles_none(
    cluster: Any, album: Path, trained: Path, tmp_path: Path
) -> None:
    second = cluster.add_node(num_cpus=1)
    output = tmp_path / "answers"
    process = begin(cluster, album, trained, output, "--max-pixels", "89999")
    until = time.monotonic() + PATIENCE
    while not Parts(output).files and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    cluster.remove_node(second, allow_graceful=False)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, said  # the one that is no picture, and the one too large
    assert f"2 of {PICTURES} could not be used" in said
    assert answered(output) == Counter({each.name: 1 for each in album.iterdir()})
    assert [each.name for each in output.iterdir() if each.suffix != ".parquet"] == []
    # Gone on with, there is nothing to do but what changed, and what is not too large any more.
    before = {each: each.stat().st_mtime_ns for each in output.iterdir()}
    draw("dog", 500).save(album / "007.png")
    draw("cat", 501).save(album / "zz.png")
    process = begin(cluster, album, trained, output, "--resume")
    _, said = process.communicate(timeout=PATIENCE)
    assert answered(output) == Counter({each.name: 1 for each in album.iterdir()}), said
    untouched = [each for each, when in before.items() if _time(each) == when]
    assert len(untouched) >= len(before) - 3
    failed = [Path(row["path"]).name for row in Parts(output).rows() if row["error"]]
    assert failed == ["broken.jpg"]
    same = run("diff", output, output)
    assert same.exit_code == 0, same.stderr
    assert f"{PICTURES + 1}  the same" in same.stdout


def test_a_search_tries_recipes_side_by_side(cluster: Any, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=1)
    table = drawn_table(tmp_path / "pictures", 12)
    said: list[str] = []
    space: SearchSpace = {"learning_rate": Span(low=1e-3, high=1e-2, log=True)}
    study = tmp_path / "study"
    for trials in (2, 3):  # gone on with, it tries one more
        found = tune(
            table, TINY, space, study, trials=trials, progress=said.append, cluster=cluster.address
        )
    assert found.finished == 3
    assert [line.split(":")[0] for line in said] == ["1 of 2", "2 of 2", "3 of 3"]
    assert found.before is not None
    assert found.loss <= found.before
    cluster.remove_node(second)


def _time(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None


def test_what_cannot_be_written_as_parts_is_refused(album: Path, tmp_path: Path) -> None:
    asked = ("classify", album, "--ray", "local")
    assert "name it with --output" in run(*asked).stderr
    assert "Parquet" in run(*asked, "--output", tmp_path / "answers.csv").stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    refused = run(*asked, "--output", tmp_path / "mine", "--resume")
    assert refused.exit_code == 2
    assert "'letter.txt', which pawsight did not write there" in refused.stderr


def test_a_cluster_that_is_not_there_is_said(album: Path, tmp_path: Path, trained: Path) -> None:
    pytest.importorskip("ray")
    refused = run(
        "classify", album, "--model", trained, "--ray", "127.0.0.1:1", "--output", tmp_path / "out"
    )
    assert refused.exit_code == 2
    assert "127.0.0.1:1" in refused.stderr


def partitions(folder: Path, size: int = 8) -> list[Partition]:
    return list(partitioned(find_unopened([str(folder)]), "model", size))


def test_a_picture_more_changes_its_own_partition_and_no_other(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number:03}.jpg").write_bytes(b"")
    before = partitions(tmp_path)
    assert sum(len(each.of_files()) for each in before) == 200
    assert max(len(each.of_files()) for each in before) <= 32
    (tmp_path / "0505.jpg").write_bytes(b"")
    after = partitions(tmp_path)
    assert len({each.names for each in after} - {each.names for each in before}) <= 2
    (tmp_path / "100.jpg").write_bytes(b"longer")
    changed = partitions(tmp_path)
    assert [each.names for each in changed] == [each.names for each in after]
    assert sum(a.state != b.state for a, b in zip(changed, after, strict=True)) == 1


def test_other_folders_than_before_lose_no_answer_and_double_none(tmp_path: Path) -> None:
    for folder in ("a", "a/deep", "b"):
        (tmp_path / folder).mkdir()
        for number in range(20):
            (tmp_path / folder / f"{number:02}.jpg").write_bytes(b"")
    parts = Parts(tmp_path / "answers")

    def answer(folder: str) -> list[str]:
        every = partitions(tmp_path / folder)
        for each in every:
            if not parts.holds(each):
                rows = [Record(name, None, "not an image").row() for name in each.of_files()]
                parts.put(parts.file_of(each).name, packed(rows, ("cat", "dog")))
        parts.tidy(every)
        return sorted(str(Path(row["path"]).relative_to(tmp_path)) for row in parts.rows())

    in_a = sorted(str(each.relative_to(tmp_path)) for each in (tmp_path / "a").rglob("*.jpg"))
    in_b = sorted(str(each.relative_to(tmp_path)) for each in (tmp_path / "b").glob("*.jpg"))
    assert answer("a") == in_a
    assert answer("a/deep") == in_a
    assert answer("b") == in_a + in_b
    assert answer("a") == in_a + in_b


def test_a_list_that_was_mended_leaves_no_record_of_what_was_wrong(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{number}.jpg" for number in range(3)]
    for picture in pictures:
        picture.write_bytes(b"")
    file = tmp_path / "list.csv"
    parts = Parts(tmp_path / "answers")
    sources = [str(file), str(pictures[0])]

    def answer() -> list[str]:
        looked: list[str] = []
        every = list(partitioned(find_unopened(sources, looked=looked.append), "model"))
        for each in every:
            rows = [Record(name, None, "cannot be read: so").row() for name in each.of_files()]
            parts.put(parts.file_of(each).name, packed(rows, ("cat", "dog")))
        parts.tidy(every, looked)
        return sorted(Path(row["path"]).name for row in parts.rows())

    file.write_text("name\n1.jpg\n")
    assert answer() == ["0.jpg", "list.csv"]
    file.write_text(f"path\n{pictures[1]}\n{pictures[2]}\n")
    assert answer() == ["0.jpg", "1.jpg", "2.jpg"]


def test_the_heaviest_partitions_are_answered_first(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:03}.jpg").write_bytes(b"")
    (tmp_path / "z.tar").write_bytes(b"")
    found = find_unopened([str(tmp_path), str(tmp_path / "z.tar")])
    first, *others = sorted(partitioned(found, "model", 8), key=weight, reverse=True)
    assert first.of_files() == [str(tmp_path / "z.tar")]
    sizes = [len(each.of_files()) for each in others]
    assert sum(sizes) == 100
    assert sizes == sorted(sizes, reverse=True)


def test_the_service_is_a_ray_serve_application(cluster: Any) -> None:
    import httpx
    import ray
    from deployment.ray.application import application
    from ray import serve

    ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(application)
        ready = httpx.get(f"http://127.0.0.1:{port}/health/ready").json()
        assert {each["threads"] for each in ready["models"]} == {1}
        answer = httpx.post(
            f"http://127.0.0.1:{port}/predict/custom",
            content=Path("examples/cat.jpg").read_bytes(),
        ).json()
        assert answer["label"] == "cat"
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()
