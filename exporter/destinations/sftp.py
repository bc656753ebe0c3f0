"""Delivers to a client's SFTP server.

    sftp.py           what an operator sets, and the destination itself
    deadline.py       one upper bound over everything below
    sftp_session.py   connection, host key, login, requests; the only file that knows paramiko and its errors
    sftp_verdicts.py  what each failure means to an operator
    sftp_upload.py    the order of the requests: what keeps half a file from ever having the final name
    host_keys.py      how a server's key is written and compared

A server is only ever trusted by a key pinned in footfall.toml: one that shows another key is refused before login.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from exporter.destinations.deadline import Attempt, DeadlineExceeded, within
from exporter.destinations.destination import DeliveredFile, require_plain_name
from exporter.destinations.host_keys import HostKey, parse_host_key
from exporter.destinations.sftp_upload import upload
from footfall.errors import DeliveryError

if TYPE_CHECKING:
    from exporter.destinations.sftp_session import Session

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SftpSettings:
    """One SFTP destination of footfall.toml.

    ``host_keys`` are lines as "ssh-ed25519 AAAA..." of which the server must show one; with none, every server is
    refused and the error shows its key. ``folder`` is the server's path, relative to where the login lands. Of key
    file, agent and password, those that are set are tried in that order; a server may ask for two of them. Raises
    ValueError when a host key cannot be read.
    """

    name: str
    host: str
    user: str
    port: int = 22
    folder: str = "."
    host_keys: tuple[str, ...] = ()
    key_file: Path | None = None
    key_passphrase: str | None = field(default=None, repr=False)
    use_agent: bool = False
    password: str | None = field(default=None, repr=False)
    connect_timeout_s: float = 15  # a server on the other side of the world answers in 0.3 s
    banner_timeout_s: float = (
        15  # OpenSSH looks up the caller's name first, which may take 10 s; then the same for keys
    )
    auth_timeout_s: float = 30  # a server may ask a slow directory
    channel_timeout_s: float = 30  # for one request; a server's full disk array may stall that long
    deadline_s: float = 120  # for everything: a day's file is some 100 kB, seconds over the slowest line

    def __post_init__(self) -> None:
        """Refuse a host key that cannot be read."""
        for line in self.host_keys:
            parse_host_key(line)

    @property
    def address(self) -> str:
        """Host and port as people write them: "sftp.example.org:22", "[2001:db8::1]:22"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pinned(self) -> tuple[HostKey, ...]:
        """The host keys, read."""
        return tuple(parse_host_key(line) for line in self.host_keys)


class SftpDestination:
    """A folder on an SFTP server. Every call makes and ends its own connection."""

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
        """Return what was verified: host key, login and folder; see Destination.check."""
        found = self._with_session(
            f"check {self._settings.address}", lambda session: session.check_folder(self._settings.folder)
        )
        return f"{self._settings.address} host key matches, logged in as {self._settings.user}, {found}"

    def _with_session(self, action: str, work: "Callable[[Session], T]") -> T:
        """Return what *work* returns, or raise DeliveryError for *action* before the deadline is long past."""

        def connect_and_work(attempt: Attempt) -> T:
            # Imported at the first delivery: paramiko takes 32 MB, which a Raspberry Pi that has delivered nothing
            # yet, and a command that only reads the ledger, can do without.
            from exporter.destinations.sftp_session import open_session

            with open_session(self._settings, attempt, action) as session:
                return work(session)

        try:
            return within(self._settings.deadline_s, connect_and_work)
        except DeadlineExceeded as exc:
            raise DeliveryError(
                f"{action}: not done within {self._settings.deadline_s:g} s, given up while {exc.step}",
                permanent=False,
                hint="the server or the line is slow or hangs; it will be tried again. If it stays so, "
                "ask the client, or raise deadline_s",
            ) from exc
