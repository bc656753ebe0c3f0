"""Replaces files whole and durably: a reader sees the old file or the new one, never half of one."""

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

_CANNOT_SYNC_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP})

Sync = Callable[[int], None]
"""Flushes a file descriptor to the disk: os.fsync, unless a test observes it."""


def replace_file(path: Path, content: str | bytes, mode: int | None = None, sync: Sync = os.fsync) -> None:
    """Put *content* at *path*, text as UTF-8, in one step; return once the disk has both the file and its name.

    A link stays a link. The file keeps its owner, and its mode unless *mode* is given. A new file gets the folder's
    owner if root writes it: `sudo footfall counter add` must not lock the service out. Raises OSError.
    """
    data = content.encode() if isinstance(content, str) else content
    target = path.resolve()
    beside = target.with_name(target.name + ".part")
    try:
        like = target.stat()
        mode = like.st_mode & 0o7777 if mode is None else mode
    except FileNotFoundError:
        like = target.parent.stat()
    try:
        beside.unlink(missing_ok=True)  # a leftover may have any owner and mode
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(beside, flags, 0o666 if mode is None else mode & 0o600), "wb") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            sync(file.fileno())
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent, sync)


def sync_folder(folder: Path, sync: Sync = os.fsync) -> None:
    """Return once the disk has the names in *folder*, if the file system can sync folders. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    except OSError as exc:
        if exc.errno not in _CANNOT_SYNC_FOLDERS:
            raise
    finally:
        os.close(descriptor)
