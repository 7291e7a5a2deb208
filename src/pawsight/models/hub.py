"""The Hugging Face hub: from the name of a repository to a folder on this machine."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from pawsight.extras import require
from pawsight.models.errors import CheckpointError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_INSTEAD: Final = "name a local folder: `pawsight models pull pretrained --from FOLDER`"


def locate(source: str | Path, files: Sequence[str], revision: str | None = None) -> Path:
    """Find a checkpoint's folder; what the hub has of its files is downloaded first.

    Progress bar, cache (``HF_HOME``), token (``HF_TOKEN``) and address (``HF_ENDPOINT``) are those
    of huggingface_hub: a connection that breaks is resumed where it broke (by version 2 within the
    call, by version 1 at the next), a file that is whole is never downloaded again, and without a
    network the cache is taken. Files that the hub keeps by their SHA-256, as it does with weights,
    are held against it.

    Args:
        source: A folder, or a repository such as ``google/vit-base-patch16-224``.
        files: Patterns of the files that are wanted, of which not all must be there.
        revision: A branch, tag or commit of the repository.

    Returns:
        The folder itself, or the cache's snapshot, whose name is the commit.

    Raises:
        CheckpointError: There is neither a folder nor a repository of that name, or no such
            revision; a revision of a folder is asked for; the hub cannot be reached; the download
            breaks off or is not what the hub says it is.
        ExtraMissing: huggingface_hub is not installed.
    """
    folder = Path(source)
    if folder.is_dir():
        if revision:
            raise CheckpointError(
                f"{str(source)!r} is a folder, which has no revision {revision!r}: revisions are "
                "of repositories of the hub"
            )
        return folder
    name = str(source)
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise CheckpointError(f"there is no folder {name!r}")
    require("hub", "the hub")
    folder = _download(name, files, revision)
    _verify(folder, files)
    return folder


def _download(name: str, files: Sequence[str], revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(files)))
    except HFValidationError as error:
        raise CheckpointError(
            f"{name!r} is neither a folder nor the name of a repository (owner/name)"
        ) from error
    except GatedRepoError as error:
        raise CheckpointError(
            f"the hub gives {name!r} only to those who accepted its terms on its page: do so, and "
            "set HF_TOKEN to a token of that account"
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"there is neither a folder {name!r} nor a repository of that name on the hub (if it "
            "is private, set HF_TOKEN to a token that may read it)"
        ) from error
    except RevisionNotFoundError as error:
        raise CheckpointError(f"{name!r} has no revision {revision!r}") from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"the hub cannot be reached for {name!r}. Without a network, {_INSTEAD}"
        ) from error
    except Exception as error:  # requests, httpx or httpx2, by huggingface_hub's version
        why = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise CheckpointError(
            f"the download of {name!r} broke off: {why}. Pull again: files that are whole are not "
            "downloaded a second time"
        ) from error


def _verify(folder: Path, patterns: Sequence[str]) -> None:
    """Hold files against the SHA-256 by which the cache names what they link to."""
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if not file.is_symlink() or not any(fnmatch(name, pattern) for pattern in patterns):
            continue
        blob = file.parent / os.readlink(file)
        if _SHA256.fullmatch(blob.name) and _sha256(blob) != blob.name:
            blob.unlink()
            file.unlink()
            raise CheckpointError(
                f"{name} is not what the hub says it is: its SHA-256 differs, so it was removed "
                "from the cache. Pull again"
            )


def _sha256(file: Path) -> str:
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(1 << 20):
            total.update(part)
    return total.hexdigest()
