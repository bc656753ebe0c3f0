"""The order of requests by which a file appears on a server whole, or not at all.

                       final name   part        aside
    write, close       old          growing     -
    check the size     old          complete    -
    posix-rename       new          -           -        in one step on the server; nearly every server has it

    without it, and only if an old file is in the way:
    rename             old          complete    -        refused: an SFTP 3 rename never overwrites
    old file aside     -            complete    old      the only moment without a final name
    rename             new          -           old      if refused, the old file is renamed back
    remove aside       new          -           -

One limit remains, since the part file has a fixed name. A server may hang in the rename until after the deadline, and
carry it out while the next attempt is writing: half a file then has the final name until that attempt renames its own.
A new name for every attempt would prevent that, and leave a file in the client's folder for every cut connection.
"""

import posixpath
from typing import Protocol

from exporter.destinations.destination import DeliveredFile, part_name


class SftpRequestRefused(OSError):
    """The server answered one request with an error.

    ``code`` is one of SFTP 3 (draft-ietf-secsh-filexfer-02, section 7); the message is the server's.
    """

    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    OP_UNSUPPORTED = 8

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text or 'no reason given'} (SFTP status {code})")
        self.code = code


class WrongSize(OSError):
    """The server holds fewer or more bytes than it acknowledged."""


class Remote(Protocol):
    """The requests of an upload. Each raises SftpRequestRefused if the server refuses, another error if it is gone."""

    def write_file(self, path: str, content: bytes) -> None:
        """Write *content* to *path*, every block acknowledged, and close it."""

    def size(self, path: str) -> int | None:
        """Return the size of *path* in bytes; None if the server omits it."""

    def exists(self, path: str) -> bool:
        """Return False only if the server says that *path* does not exist."""

    def posix_rename(self, old: str, new: str) -> None:
        """Rename *old* to *new* in one step, replacing it (OpenSSH's extension)."""

    def rename(self, old: str, new: str) -> None:
        """Rename *old* to *new*, which must not exist."""

    def remove_quietly(self, path: str) -> None:
        """Remove *path* if it exists and can be removed."""


def upload(remote: Remote, folder: str, file_name: str, content: bytes) -> DeliveredFile:
    """Put *content* under *file_name* in *folder* and return what is there now.

    Raises SftpRequestRefused or WrongSize, after removing the part file, or the error of a lost connection.
    """
    final, part = posixpath.join(folder, file_name), posixpath.join(folder, part_name(file_name))
    # Removed, not truncated: a hung session of an earlier attempt may still write, and then writes to the old file.
    remote.remove_quietly(part)
    try:
        remote.write_file(part, content)
        verified = _size_matches(remote, part, len(content))
        note = _rename(remote, part, final)
    except (SftpRequestRefused, WrongSize):
        remote.remove_quietly(part)
        raise
    if not verified:
        note = "; ".join(filter(None, ["size not checked: the server does not show it", note]))
    return DeliveredFile(final, len(content), verified, note)


def _size_matches(remote: Remote, part: str, expected: int) -> bool:
    """Return True if the server reports *expected*, False if it reports no size. Raises WrongSize."""
    try:
        found = remote.size(part)
    except SftpRequestRefused:
        return False  # forbidden, or the server moved the file away at once: the rename will show which
    if found is not None and found != expected:
        raise WrongSize(f"{expected} bytes were acknowledged, but the server holds {found}")
    return found is not None


def _rename(remote: Remote, part: str, final: str) -> str:
    """Rename *part* to *final* and return a note, empty if the server did it in one step."""
    try:
        remote.posix_rename(part, final)
    except SftpRequestRefused:
        # Servers report a missing extension in many ways. If something else is wrong, the plain rename fails too.
        folder, file_name = posixpath.split(final)
        aside = posixpath.join(folder, f".{file_name}.old")
        try:
            remote.rename(part, final)
        except SftpRequestRefused as in_the_way:
            _swap(remote, part, final, aside, in_the_way)
        remote.remove_quietly(aside)
        return "the server has no posix-rename"
    return ""


def _swap(remote: Remote, part: str, final: str, aside: str, in_the_way: SftpRequestRefused) -> None:
    """Move *final* to *aside* and *part* to *final*; if that is refused, move *final* back."""
    if in_the_way.code == SftpRequestRefused.NO_SUCH_FILE or not remote.exists(final):
        raise in_the_way  # nothing is in the way: the rename failed for another reason
    remote.remove_quietly(aside)
    remote.rename(final, aside)
    try:
        remote.rename(part, final)
    except SftpRequestRefused:
        remote.rename(aside, final)
        raise
