"""A directory that appears whole or not at all, and only where nothing lies."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.store.errors import PlaceTaken

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def make_whole(directory: Path) -> Iterator[Path]:
    """Give a directory to fill. Once the block has ended well it is on disk and named `directory`, otherwise gone.

    Raises `PlaceTaken`, `OSError`.
    """
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise PlaceTaken(str(directory))
    draft = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.partial")
    draft.mkdir(mode=0o700)
    try:
        yield draft
        for folder, _, files in os.walk(draft, topdown=False):
            for name in (*files, "."):
                sync(Path(folder) / name)
        try:
            draft.rename(directory)
        except OSError as error:
            raise PlaceTaken(str(directory)) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync(directory.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a directory's entries, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
