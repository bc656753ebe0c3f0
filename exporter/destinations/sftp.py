"""Delivers to a client's SFTP server. It trusts a server only by a key pinned in footfall.toml, and checks it before
login.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from exporter.destinations.deadline import Attempt, DeadlineExceeded, within
from exporter.destinations.destination import DeliveredFile, require_plain_name
from exporter.destinations.sftp_settings import SftpSettings
from exporter.destinations.sftp_upload import upload
from footfall.errors import DeliveryError

if TYPE_CHECKING:
    from exporter.destinations.sftp_session import Session

T = TypeVar("T")


class SftpDestination:
    """A folder on an SFTP server. Every call opens and closes its own connection."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """The destination's name in footfall.toml."""
        return self._settings.name

    @property
    def place(self) -> str:
        """The server's host."""
        return self._settings.host

    def deliver(self, file_name: str, content: bytes) -> DeliveredFile:
        """Put *content* under *file_name* in the server's folder; see Destination.deliver."""
        action = f"deliver {file_name} to {self._settings.address}"
        require_plain_name(file_name, action)
        return self._with_session(action, lambda session: upload(session, self._settings.folder, file_name, content))

    def check(self) -> str:
        """Check host key, login and folder; see Destination.check."""
        found = self._with_session(
            f"check {self._settings.address}", lambda session: session.check_folder(self._settings.folder)
        )
        return f"{self._settings.address} host key matches, logged in as {self._settings.user}, {found}"

    def _with_session(self, action: str, work: "Callable[[Session], T]") -> T:
        """Return the result of *work*. Raises DeliveryError for *action*, shortly after the deadline at the latest."""

        def connect_and_work(attempt: Attempt) -> T:
            # Imported at the first delivery: paramiko takes 32 MB, too much for a Raspberry Pi that delivers nothing
            # or a command that only reads the ledger.
            from exporter.destinations.sftp_session import open_session

            with open_session(self._settings, attempt, action) as session:
                return work(session)

        try:
            return within(self._settings.deadline_s, connect_and_work)
        except DeadlineExceeded as exc:
            raise DeliveryError(
                f"{action}: not done within {self._settings.deadline_s:g} s, given up while {exc.step}",
                permanent=False,
                hint="the server or the network is slow or hangs; the exporter retries. If it keeps happening, "
                "ask the client, or raise deadline_s",
            ) from exc
