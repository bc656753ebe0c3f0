"""A destination that fails on demand, and remembers every attempt."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from exporter.destinations.destination import DeliveredFile
from exporter.destinations.folder import FolderDestination
from footfall.errors import DeliveryError

Fault = Literal["none", "transient", "permanent", "after storing"]


class FaultyDestination:
    """A folder that fails as ``fault`` says: before anything is stored, or, ``after storing``, with the file in place.

    ``attempts`` has the name of every file that was to be delivered, in order. ``during`` is called in the middle of
    each attempt: what happens to the rest of the world meanwhile.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.fault: Fault = "none"
        self.attempts: list[str] = []
        self.during: Callable[[], None] = lambda: None
        self.place = str(folder)
        self._kept = FolderDestination(name, folder)

    def deliver(self, file_name: str, content: bytes) -> DeliveredFile:
        """Put *content* under *file_name*, or fail as ``fault`` says; see Destination.deliver."""
        self.attempts.append(file_name)
        delivered = self._kept.deliver(file_name, content) if self.fault in ("none", "after storing") else None
        self.during()
        if delivered is not None and self.fault == "none":
            return delivered
        permanent = self.fault == "permanent"
        raise DeliveryError(
            f"deliver {file_name} to {self.name}: failed on demand",
            permanent=permanent,
            hint="clear the fault" if permanent else "the exporter retries",
        )

    def check(self) -> str:
        """Return that the folder is in order; see Destination.check."""
        return self._kept.check()
