"""Where a rendered file goes: one contract, and a class for each kind of place that keeps it.

    content --write--> .NAME.part --close, check the size--> .NAME.part --rename--> NAME

Whoever reads the folder sees nothing, the old NAME or the new NAME. The part file is hidden, stands in the same
folder (a rename does not cross file systems) and always has the same name, so that a broken attempt leaves at most
one behind and the next attempt clears it away.
"""

from dataclasses import dataclass
from typing import Protocol

from footfall.errors import DeliveryError


@dataclass(frozen=True)
class DeliveredFile:
    """What stands at the destination after a delivery.

    ``size`` is in bytes. ``verified`` is false where the destination did not let us look at the size of what it had
    taken; every byte was acknowledged all the same. ``note`` says what was unusual, and is empty most days.
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
        """Put *content* under *file_name*, in place of what may stand there.

        When this returns, the whole content stands under the final name. When it raises DeliveryError, the final name
        holds the complete old content or the complete new content, never a part of either; only on an SFTP server
        without posix-rename, cut off at the worst moment, it may be missing until the next delivery. Calling again
        with the same arguments is always safe. Two callers must not deliver the same name at the same time.
        """

    def check(self) -> str:
        """Return one sentence on what was found in order; write nothing.

        Raises DeliveryError, with a hint, for the first thing that would stop a delivery.
        """


def require_plain_name(file_name: str, action: str) -> None:
    """Raise DeliveryError, permanent, unless *file_name* names a file inside the destination's folder.

    *action* is what was to be done, and begins the message.
    """
    if file_name in {"", ".", ".."} or any(char in "/\\" or not char.isprintable() for char in file_name):
        raise DeliveryError(
            f"{action}: {file_name!r} is not a plain file name",
            permanent=True,
            hint="correct the profile's file name: it takes no folder, no backslash and no control character; "
            "the folder belongs to the destination",
        )


def part_name(file_name: str) -> str:
    """Return the name that *file_name* has while it is being written."""
    return f".{file_name}.part"
