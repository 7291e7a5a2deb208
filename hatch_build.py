"""Compiles what resizes pictures and what crops them, where there is a C compiler.

Without one, Pillow resizes them, and torch crops those that are trained on.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

FLAGS: Final = ("-O3", "-shared", "-fPIC", "-Wno-psabi")


class Compiled(NamedTuple):
    """A library.

    Attributes:
        source: Its path in the repository.
        library: Its path in the package.
        instead: What is done where it is not there.
    """

    source: str
    library: str
    instead: str


LIBRARIES: Final = (
    Compiled(
        "src/pawsight/images/resample.c",
        "pawsight/images/libresample.so",
        "Pillow resizes pictures",
    ),
    Compiled(
        "src/pawsight/data/crop.c",
        "pawsight/data/libcrop.so",
        "torch crops pictures for training",
    ),
)


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the libraries into the wheel, or beside their sources where the install is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel's files are gathered."""
        if self.target_name != "wheel":
            return
        self._folder = TemporaryDirectory()
        for each in LIBRARIES:
            library = self._compiled(each, Path(self._folder.name))
            if version == "editable":
                self._place(library, Path(self.root, "src", each.library))
            elif library:
                build_data["pure_python"] = False
                build_data["tag"] = f"py3-none-{next(sys_tags()).platform}"
                build_data["force_include"][str(library)] = each.library

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if self.target_name == "wheel":
            self._folder.cleanup()

    def _compiled(self, what: Compiled, folder: Path) -> Path | None:
        library = folder / Path(what.library).name
        compiler = shlex.split(os.environ.get("CC", "cc"))
        command = [*compiler, *FLAGS, what.source, "-o", str(library)]
        try:
            subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            self.app.display_warning(f"{what.source} is not compiled, so {what.instead}: {said}")
            return None
        return library

    def _place(self, library: Path | None, place: Path) -> None:
        """Whoever has the one before open keeps it, and nobody opens half of this one."""
        if library is None:
            place.unlink(missing_ok=True)
            return
        new = place.with_suffix(".new")
        new.write_bytes(library.read_bytes())
        new.replace(place)
