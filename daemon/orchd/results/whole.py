"""
Files that are written whole or not at all.
"""

import os
import uuid
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """
    Put *data* at *path*: under a temporary name in the same folder, synced, then renamed, and the folder synced.

    A reader sees the old file, the new one, or none, whenever the machine loses power. Missing folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".orchd-{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
