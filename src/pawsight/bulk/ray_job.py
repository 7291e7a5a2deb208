"""Partitions answered by a Ray cluster (Ray Data): workers that load the model once."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pawsight.bulk.partitions import Partition
from pawsight.bulk.parts import packed
from pawsight.bulk.pipeline import classify
from pawsight.cluster import connected
from pawsight.images.decode import DEFAULT_LIMITS, Limits
from pawsight.inference.artifact import RUN_FOLDER
from pawsight.inference.catalog import Entry, load, resolve
from pawsight.inference.errors import ModelError


@dataclass(frozen=True, slots=True)
class Answered:
    """What a worker made of a partition.

    Attributes:
        number: Of the partition.
        data: Its rows as a Parquet file.
        labels: How many pictures were given each label.
        failed: How many could not be used.
    """

    number: int
    data: bytes
    labels: Counter[str]
    failed: int


def answer_by_ray(
    partitions: Sequence[Partition],
    model: str,
    reference: str,
    may_lose: float | None,
    address: str,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Answered]:
    """Answer partitions on all processors of a cluster, in the order in which they are done.

    What a worker had in hand when it, or its machine, was lost is answered by another.

    Args:
        partitions: Their files must be where the workers can read them under the same names.
        model: Name or folder. A network in a folder of this machine is sent to the workers; all
            else must be there.
        reference: What the model says it is; workers that have another are refused.
        may_lose: As for :func:`pawsight.inference.catalog.load`.
        address: Of the cluster, or :data:`pawsight.cluster.LOCAL`.
        limits: What a picture may cost.

    Raises:
        ExtraMissing: Ray is not installed.
        ClusterError: No cluster is at the address, or its workers cannot load the model.
    """
    entry = resolve(model)
    rows = [{"number": n, "partition": pickle.dumps(each)} for n, each in enumerate(partitions)]
    with connected(address) as ray:
        ray.data.DataContext.get_current().enable_progress_bars = False
        setting = {
            "model": model,
            "reference": reference,
            "may_lose": may_lose,
            "limits": limits,
            "files": None if _everywhere(entry) else ray.put(_files_of(entry.path)),
        }
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        answered = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Worker,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, initial_size=cpus),
            num_cpus=1,
            fn_constructor_kwargs=setting,
        )
        for row in answered.iter_rows():
            labels = Counter(json.loads(row["labels"]))
            yield Answered(row["number"], row["data"], labels, row["failed"])


def _everywhere(entry: Entry) -> bool:
    """Whether workers have it too: of a cascade, the members must be where it says."""
    return entry.source == "embedded" or entry.is_cascade


def _files_of(folder: Path) -> dict[str, bytes]:
    """What serving needs of a model folder, by name: what a training keeps beside it does not."""
    names = (each.relative_to(folder) for each in folder.rglob("*") if each.is_file())
    return {
        str(name): (folder / name).read_bytes() for name in names if name.parts[0] != RUN_FOLDER
    }


class _Worker:
    """Loads a model once, and answers partitions."""

    def __init__(
        self,
        model: str,
        reference: str,
        may_lose: float | None,
        limits: Limits,
        files: Any,  # noqa: ANN401
    ) -> None:
        self._may_lose = may_lose
        self._limits = limits
        if files is None:
            self._model = load(model, threads=1, may_lose=may_lose)
        else:
            self._model = _load_sent(files, reference.partition("@")[0], may_lose)
        if str(self._model.reference) != reference:
            raise ModelError(
                f"a worker has {self._model.reference}, and {reference} is wanted: install the "
                "same pawsight everywhere"
            )

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Answer a batch of one partition."""
        partition: Partition = pickle.loads(batch["partition"][0])  # noqa: S301 - ours
        rows = [
            record.row(self._may_lose)
            for record in classify(self._model, partition.items(self._limits), 1, self._limits)
        ]
        labels = Counter(row["label"] for row in rows if row["error"] is None)
        return {
            "number": batch["number"],
            "data": [packed(rows, self._model.card.labels)],
            "labels": [json.dumps(labels)],
            "failed": [len(rows) - labels.total()],
        }


def _load_sent(files: Any, name: str, may_lose: float | None) -> Any:  # noqa: ANN401
    import ray

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / name
        for file, data in ray.get(files).items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(data)
        return load(str(folder), threads=1, may_lose=may_lose)
