"""``pawsight classify --ray``: the same records, by many machines, as a folder of parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pawsight.cli.common import fail, refusing
from pawsight.cli.tally import Tally, shown

if TYPE_CHECKING:
    from pawsight.bulk.partitions import Partition
    from pawsight.bulk.parts import Parts
    from pawsight.images.decode import Limits
    from pawsight.inference.model import Model


def opened_parts(output: Path | None, kind: str | None, *, resume: bool, overwrite: bool) -> Parts:
    """The folder of parts that the options ask for; nonsense is refused."""
    from pawsight.bulk.journal import NotOurs
    from pawsight.bulk.parts import Parts
    from pawsight.bulk.sinks import require_pyarrow
    from pawsight.extras import ExtraMissing

    if output is None:
        fail("--ray writes a folder of Parquet files: name it with --output")
    if kind not in (None, "parquet") or output.suffix.lower() in (".csv", ".jsonl"):
        fail("--ray writes a folder of Parquet files: --format parquet, and --output a folder")
    with refusing(NotOurs, ExtraMissing, OSError):
        require_pyarrow()
        parts = Parts(output)
        if parts.begun and overwrite:
            typer.echo(f"pawsight: what was there is {str(parts.set_aside())!r} now", err=True)
        elif parts.begun and not resume:
            fail(
                f"{str(output)!r} is there already: --resume goes on with it, --overwrite keeps it "
                "as a backup; or name a new folder"
            )
    return parts


def answer(
    paths: list[str],
    model: str,
    loaded: Model,
    may_lose: float | None,
    parts: Parts,
    address: str,
    size: int | None,
    limits: Limits,
) -> Tally:
    """Answer what has no part yet; the tally is of this run, and of what was there before."""
    from pawsight.bulk.partitions import SIZE, partitioned, weight
    from pawsight.bulk.sources import find_unopened
    from pawsight.extras import ExtraMissing

    setting = f"{loaded.reference} {may_lose}"
    tally = Tally()
    looked: list[str] = []
    with refusing(ExtraMissing, OSError):
        found = find_unopened(paths, tally.add_empty, looked.append)
        every = list(partitioned(found, setting, size or SIZE))
        wanted = [each for each in every if not parts.holds(each, limits)]
        wanted.sort(key=weight, reverse=True)  # so that no worker has much left when others end
        tally.skipped = sum(len(each.of_files()) for each in every) - sum(
            len(each.of_files()) for each in wanted
        )
    if wanted:
        _answer(wanted, model, loaded, may_lose, limits, parts, address, tally)
    parts.tidy(every, looked)
    return tally


def _answer(
    wanted: list[Partition],
    model: str,
    loaded: Model,
    may_lose: float | None,
    limits: Limits,
    parts: Parts,
    address: str,
    tally: Tally,
) -> None:
    from pawsight.bulk.ray_job import answer_by_ray
    from pawsight.cluster import ClusterError
    from pawsight.extras import ExtraMissing

    tally.total = tally.skipped + sum(len(each.of_files()) for each in wanted)
    try:
        with refusing(ExtraMissing, ClusterError), shown(tally, None) as grown:
            for done in answer_by_ray(
                wanted, model, str(loaded.reference), may_lose, address, limits
            ):
                parts.put(parts.file_of(wanted[done.number]).name, done.data)
                tally.labels.update(done.labels)
                tally.failed += done.failed
                grown()
    except KeyboardInterrupt:
        typer.echo(f"pawsight: stopped; --resume goes on with {str(parts.folder)!r}", err=True)
        raise typer.Exit(130) from None
