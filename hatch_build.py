"""Compiles what resizes pictures, where there is a C compiler; without one, Pillow resizes them."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

SOURCE: Final = "src/pawsight/images/resample.c"
LIBRARY: Final = "pawsight/images/libresample.so"
FLAGS: Final = ("-O3", "-shared", "-fPIC", "-Wno-psabi")


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the library into the wheel, or beside its source where the install is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel's files are gathered."""
        if self.target_name != "wheel":
            return
        self._folder = TemporaryDirectory()
        library = self._compiled(Path(self._folder.name))
        if version == "editable":
            self._place(library)
        elif library:
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{next(sys_tags()).platform}"
            build_data["force_include"][str(library)] = LIBRARY

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if self.target_name == "wheel":
            self._folder.cleanup()

    def _compiled(self, folder: Path) -> Path | None:
        library = folder / Path(LIBRARY).name
        command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, SOURCE, "-o", str(library)]
        try:
            subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            self.app.display_warning(f"not compiled, so Pillow resizes pictures: {said}")
            return None
        return library

    def _place(self, library: Path | None) -> None:
        """Whoever has the one before open keeps it, and nobody opens half of this one."""
        place = Path(self.root, "src", LIBRARY)
        if library is None:
            place.unlink(missing_ok=True)
            return
        new = place.with_suffix(".new")
        new.write_bytes(library.read_bytes())
        new.replace(place)
