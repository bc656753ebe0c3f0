"""The contract of every destination: a file appears there whole, or not at all.

    content --write--> .NAME.part --close, check the size--> .NAME.part --rename--> NAME

A reader of the folder sees nothing, the old NAME or the new NAME. The part file is hidden and in the same folder, since
a rename does not cross file systems. Its name is always the same: a broken attempt leaves at most one behind, and the
next attempt removes it.
"""

from dataclasses import dataclass
from typing import Protocol

from footfall.errors import DeliveryError


@dataclass(frozen=True)
class DeliveredFile:
    """The delivered file, as the destination sees it.

    ``size`` is in bytes. ``verified`` is false if the destination did not report the size, although
    it acknowledged every byte. ``note`` says what was unusual, and is usually empty.
    """

    path: str
    size: int
    verified: bool
    note: str = ""


class Destination(Protocol):
    """A place that takes whole files."""

    @property
    def name(self) -> str:
        """The destination's name in footfall.toml."""

    @property
    def place(self) -> str:
        """Where its files go, for people: a host or a folder."""

    def deliver(self, file_name: str, content: bytes) -> DeliveredFile:
        """Put *content* under *file_name*, replacing any earlier file.

        Once this returns, the final name has the whole content. If it raises DeliveryError, the final name has the
        complete old content or the complete new content, never a part of either. On an SFTP server without
        posix-rename, a connection lost at the worst moment leaves no file until the next delivery. Repeating the
        call is always safe. Two callers must not deliver the same name at the same time.
        """

    def check(self) -> str:
        """Check the destination without writing, and return a sentence that says what was verified.

        Raises DeliveryError, with a hint, at the first problem that would stop a delivery.
        """


def require_plain_name(file_name: str, action: str) -> None:
    """Raise DeliveryError, permanent, unless *file_name* names a file inside the destination's folder.

    The message begins with *action*.
    """
    if file_name in {"", ".", ".."} or any(char in "/\\" or not char.isprintable() for char in file_name):
        raise DeliveryError(
            f"{action}: {file_name!r} is not a plain file name",
            permanent=True,
            hint="correct the profile's file_name: no folder, no backslash, no control character; "
            "the folder belongs to the destination",
        )


def part_name(file_name: str) -> str:
    """Return the name that *file_name* has while it is being written."""
    return f".{file_name}.part"
