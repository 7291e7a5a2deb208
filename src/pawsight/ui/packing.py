"""Many files as one ZIP, in the form that trainings take."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from streamlit.runtime.uploaded_file_manager import UploadedFile


class NoTable(ValueError):
    """Pictures that nothing says the labels of."""


def packed(files: Sequence[UploadedFile]) -> bytes:
    """The files under their names, a folder's with the way from the folder on.

    Raises:
        NoTable: They are in no folders, and there is not one CSV that names their labels.
    """
    names = [each.name for each in files]
    tables = [each for each in names if each.lower().endswith(".csv")]
    if len(tables) != 1 and not any("/" in each for each in names):
        raise NoTable(
            f"there {'are' if tables else 'is'} {len(tables) or 'no'} CSV"
            f"{' files' if len(tables) > 1 else ''} among the {len(names)} files; one, with the "
            "columns path and label, says what each picture shows"
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # stored: pictures are compressed already
        for each, name in zip(files, _without_common_folder(names), strict=True):
            archive.writestr(name, each.getbuffer())
    return file.getvalue()


def _without_common_folder(names: Sequence[str]) -> list[str]:
    """``album/cat/1.jpg`` → ``cat/1.jpg`` where ``album`` is no label, but holds all."""
    parts = [each.split("/") for each in names]
    deep = all(len(each) > 2 for each in parts)
    listed = any(len(each) == 2 and each[1].lower().endswith(".csv") for each in parts)
    if len({each[0] for each in parts}) == 1 and (deep or listed):
        return ["/".join(each[1:]) for each in parts]
    return list(names)
