"""Files that are replaced whole, so that nobody ever reads half of one."""

import os
from pathlib import Path


def replace_file(path: Path, text: str, mode: int | None = None) -> None:
    """Put *text* at *path*, durably, in one step. It keeps its owner, and its mode unless *mode* is given.

    A new file belongs to whoever owns its folder: `sudo footfall counter add` must not lock the service out.
    Raises OSError.
    """
    target = path.resolve()
    try:
        like = target.stat()
        mode = like.st_mode & 0o7777 if mode is None else mode
    except FileNotFoundError:
        like = target.parent.stat()
        mode = 0o644 if mode is None else mode
    beside = target.with_name(target.name + ".part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if os.geteuid() == 0:
            os.fchown(file.fileno(), like.st_uid, like.st_gid)
        os.fchmod(file.fileno(), mode)  # before a word is in it: one that was left over may have had any mode
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)
