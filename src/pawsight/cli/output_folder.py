"""The folder that a command is to write: refused before the work where it cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from pawsight.cli.common import fail


@contextmanager
def made(output: Path) -> Iterator[None]:
    """Make a folder, seen to take files; at the end it goes again if nothing was written to it.

    So do the folders around it that were made with it. Where it cannot be made or written, the
    command stops in words, with exit code 2.
    """
    new: list[Path] = []
    try:
        try:
            for folder in reversed((output, *output.parents)):
                if not folder.is_dir():
                    folder.mkdir()
                    new.append(folder)
            with TemporaryFile(dir=output):
                pass
        except OSError as error:
            fail(f"cannot write the folder {str(output)!r}: {_why(output, error)}")
        yield
    finally:
        with suppress(OSError):  # something lies in it, which is to stay
            for folder in reversed(new):
                if folder.is_dir():  # the command may have removed it itself
                    folder.rmdir()


def _why(output: Path, error: OSError) -> str:
    with suppress(OSError):  # of a name that is too long, say
        for each in (output, *output.parents):
            if each.is_file():
                return "it is a file" if each == output else f"{str(each)!r} is a file"
    return (error.strerror or str(error)).lower()


def refuse_others(output: Path, own: Collection[str]) -> None:
    """Stop where a folder holds what the command did not write, among which its own would lie.

    Args:
        output: The folder, there or not.
        own: Names of what an earlier call may have left in it, which is written anew or gone on
            with.
    """
    from pawsight.data.cleaning import is_stray
    from pawsight.inference.catalog import has_card
    from pawsight.whole import FRESH

    if not output.is_dir():
        return
    there = sorted(each.name for each in output.iterdir())
    if others := [
        name for name in there if name.removesuffix(FRESH) not in own and not is_stray(name)
    ]:
        if has_card(output):
            fail(f"{str(output)!r} already holds a model: name another folder")
        fail(f"{str(output)!r} holds other things, such as {others[0]!r}: name another folder")
