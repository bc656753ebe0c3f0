"""Delivers to a folder on this machine, usually a mounted share."""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exporter.destinations.destination import DeliveredFile, part_name, require_plain_name
from footfall.errors import DeliveryError
from footfall.files import sync_folder

# errno: its meaning here, whether it is permanent, the hint.
_VERDICTS = {
    errno.EACCES: ("permission denied", True, "allow the user that runs Footfall to write and rename in this folder"),
    errno.EPERM: ("permission denied", True, "allow the user that runs Footfall to write and rename in this folder"),
    errno.EROFS: ("the folder is mounted read-only", True, "mount it for writing"),
    errno.EISDIR: ("a folder has the file's name", True, "rename that folder, or change the profile's file name"),
    errno.ENOTDIR: ("it is not a folder", True, "correct the destination's folder in footfall.toml"),
    errno.ENAMETOOLONG: ("the file name is too long", True, "shorten the profile's file name"),
    errno.ENOSPC: ("no space left", False, "free space there; the exporter retries"),
    errno.EDQUOT: ("the quota is used up", False, "free space there or raise the quota; the exporter retries"),
}
_NOT_MOUNTED = (
    "the folder does not exist",
    False,
    "check that the share is mounted and the path is right (Footfall never creates it); the exporter retries",
)


@dataclass(frozen=True)
class FolderDestination:
    """An existing folder. A hanging mount blocks the caller, so mount network shares with a timeout.

    ``mounted``: the folder is on a share. Unless a file system other than / is mounted at it or above it, nothing is
    written: the file would end up in the empty mount point. If one always is, such as a /srv on a disk of its own, a
    missing share goes unnoticed.
    """

    name: str
    folder: Path
    mounted: bool = False

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.folder)

    def deliver(self, file_name: str, content: bytes) -> DeliveredFile:
        """Put *content* under *file_name* in the folder; see Destination.deliver."""
        action = f"deliver {file_name} to {self.folder}"
        require_plain_name(file_name, action)
        part, final = self.folder / part_name(file_name), self.folder / file_name
        with _translated(action):
            self._require_mounted(action)
            try:
                _write_durably(part, content)
                part.replace(final)
            except OSError:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
        with contextlib.suppress(OSError):  # many network shares cannot, and need not
            sync_folder(self.folder)
        return DeliveredFile(str(final), len(content), verified=True)

    def check(self) -> str:
        """Check that the folder exists and is writable; see Destination.check."""
        action = f"check {self.folder}"
        with _translated(action):
            self._require_mounted(action)
            if not self.folder.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.folder))
            if not self.folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.folder))
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.folder))
        return f"folder {self.folder} exists and is writable"

    def _require_mounted(self, action: str) -> None:
        """Raise DeliveryError if the folder is on a share that is not mounted."""
        if not self.mounted:
            return
        folder = self.folder.resolve()
        if not any(path.is_mount() for path in (folder, *folder.parents) if path != path.parent):
            raise DeliveryError(
                f"{action}: nothing is mounted there",
                permanent=False,
                hint="mount the share; the exporter retries. If it is a folder of this machine, "
                "remove `mounted` from its destination",
            )


def _write_durably(part: Path, content: bytes) -> None:
    """Write *content* to the new file *part*; return once it is on disk and its size is right."""
    part.unlink(missing_ok=True)
    with part.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if (found := part.stat().st_size) != len(content):
        raise OSError(errno.EIO, f"{len(content)} bytes were written, but the file has {found}")


@contextlib.contextmanager
def _translated(action: str) -> Iterator[None]:
    """Turn every OSError into the DeliveryError for *action*."""
    try:
        yield
    except FileNotFoundError as exc:
        why, permanent, hint = _NOT_MOUNTED
        raise DeliveryError(f"{action}: {why}", permanent=permanent, hint=hint) from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc), False, "check the mount; the exporter retries")
        why, permanent, hint = _VERDICTS.get(exc.errno or 0, reason)
        raise DeliveryError(f"{action}: {why}", permanent=permanent, hint=hint) from exc
