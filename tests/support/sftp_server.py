"""A real SFTP server on loopback, in this process, which fails on demand.

    with SftpServer(folder, password="secret") as server:
        print(server.port, server.host_key_line)     # what a client's settings need

It is asyncssh, in a thread with its own loop; what clients upload lands in *folder*. Clients see that folder as "/",
which keeps honest programs in but is no barrier to others: loopback only.
"""

import asyncio
import contextlib
import io
import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

import asyncssh


class Step(StrEnum):
    """A point in a client's visit. RENAME stands for posix-rename too."""

    LOGIN = "login"
    OPEN = "open"
    WRITE = "write"
    CLOSE = "close"
    STAT = "stat"
    RENAME = "rename"
    REMOVE = "remove"


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a step: every time, or only the *nth* time in a connection, counted from 1.

    ``hang``: no answer, for ever. ``cut before``: the connection ends before the request is done. ``cut after``: it is
    done, and the connection ends in place of the answer. ``deny``: permission denied. ``fail``: SFTP's general failure,
    in the server's own *words*, which need not be UTF-8. ``no such file``: as if something had removed it.
    At LOGIN only ``hang`` and ``cut before`` mean anything.
    """

    kind: Literal["hang", "cut before", "cut after", "deny", "fail", "no such file"]
    step: Step
    nth: int | None = None
    words: bytes = b"failed on demand"


class Request(NamedTuple):
    """One request of a client: what it asked for and the names it gave, without their folder."""

    operation: str
    names: tuple[str, ...]


class SftpServer:
    """One account on one server, with the folder it sees.

    *port* 0 takes a free one. Without *host_keys* it makes an Ed25519 key of its own. *authorized_key* is a public
    key as in authorized_keys. These may be changed while it runs: ``faults``; ``posix_rename``, whether it offers that
    extension; ``space``, how many bytes it still takes before its disk is full, None for any number; ``loses_bytes``,
    whether it acknowledges writes and keeps none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: str = "footfall",
        password: str | None = None,
        authorized_key: str | None = None,
        host_keys: Sequence[asyncssh.SSHKey] = (),
        key_exchanges: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        self.folder = folder
        self.user = user
        self.password = password
        self.authorized_key = asyncssh.import_public_key(authorized_key) if authorized_key else None
        self.port = port
        self.faults: tuple[Fault, ...] = ()
        self.posix_rename = True
        self.space: int | None = None
        self.loses_bytes = False
        self.open_files = contextlib.ExitStack()
        self.logins: list[str] = []  # the user of every login that was begun, refused ones too
        self.requests: list[Request] = []
        self._host_keys = list(host_keys) or [make_key("ssh-ed25519")]
        self._key_exchanges = key_exchanges
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._started = threading.Event()
        self._start_error: OSError | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="sftp-server", daemon=True)

    @property
    def host_key_line(self) -> str:
        """The first host key, as "ssh-ed25519 AAAA..."."""
        return self.host_key_lines[0]

    @property
    def host_key_lines(self) -> tuple[str, ...]:
        """Every host key, in the order given."""
        return tuple(public_line(key) for key in self._host_keys)

    def __enter__(self) -> Self:
        """Start, and return when clients can connect. Raises OSError if the port is taken."""
        self._thread.start()
        self._started.wait()
        if self._start_error is not None:
            raise self._start_error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut every connection and stop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def fault_at(self, step: Step, count: int) -> Fault | None:
        """Return the fault for the *count*-th time of *step* in a connection, if there is one."""
        return next((each for each in self.faults if each.step is step and each.nth in {None, count}), None)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            acceptor = await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_factory=lambda: _Account(self, self._connections),
                sftp_factory=lambda channel: _Files(self, channel),
                server_host_keys=self._host_keys,
                kex_algs=self._key_exchanges or (),
            )
        except OSError as exc:
            self._start_error = exc
            self._started.set()
            return
        self.port = acceptor.get_port()
        self._started.set()
        await self._stop.wait()
        acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await acceptor.wait_closed()
        self.open_files.close()


class _Account(asyncssh.SSHServer):
    """Lets one user in, and no other."""

    def __init__(self, server: SftpServer, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._server = server
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._connection)

    async def begin_auth(self, username: str) -> bool:
        self._server.logins.append(username)
        match self._server.fault_at(Step.LOGIN, 1):
            case Fault(kind="hang"):
                await self._connection.wait_closed()
            case Fault():
                self._connection.abort()
        return True

    def password_auth_supported(self) -> bool:
        return self._server.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        return username == self._server.user and password == self._server.password

    def public_key_auth_supported(self) -> bool:
        return self._server.authorized_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._server.user and key == self._server.authorized_key


class _Files(asyncssh.SFTPServer):
    """The files of one session, with every request recorded and its fault applied."""

    def __init__(self, server: SftpServer, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=os.fsencode(server.folder))
        self._server = server
        self._counts: Counter[Step] = Counter()

    async def _before(self, step: Step, operation: str, *paths: bytes) -> Fault | None:
        """Record a request, cause its fault if one is due, and return a fault for ``_after``."""
        self._server.requests.append(Request(operation, tuple(Path(os.fsdecode(path)).name for path in paths)))
        self._counts[step] += 1
        fault = self._server.fault_at(step, self._counts[step])
        match fault:
            case Fault(kind="hang"):
                await self.connection.wait_closed()
                raise asyncssh.SFTPConnectionLost("the client has left")
            case Fault(kind="cut before"):
                self.connection.abort()
                raise asyncssh.SFTPConnectionLost("cut")
            case Fault(kind="deny"):
                raise asyncssh.SFTPPermissionDenied("denied on demand")
            case Fault(kind="no such file"):
                raise asyncssh.SFTPNoSuchFile("missing on demand")
            case Fault(kind="fail"):
                refusal = asyncssh.SFTPFailure("")
                refusal.reason = fault.words  # type: ignore[assignment]  # bytes go out as they are
                raise refusal
        return fault

    def _after(self, fault: Fault | None) -> None:
        """Cut the connection after the request if there is a *fault*, which can only be ``cut after``."""
        if fault is not None:
            self.connection.abort()

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        fault = await self._before(Step.OPEN, "open", path)
        file = super().open(path, pflags, attrs)
        assert isinstance(file, io.RawIOBase | io.BufferedIOBase)
        self._server.open_files.callback(file.close)  # asyncssh forgets files when a connection is cut
        self._after(fault)
        return file

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        fault = await self._before(Step.WRITE, "write")
        if self._server.space is not None:
            if self._server.space < len(data):
                raise asyncssh.SFTPFailure("No space left on device")
            self._server.space -= len(data)
        if not self._server.loses_bytes:
            super().write(file_obj, offset, data)
        self._after(fault)
        return len(data)

    async def close(self, file_obj: object) -> None:
        if self.connection.is_closed():  # asyncssh cleans up; no client asked for it
            super().close(file_obj)
            return
        fault = await self._before(Step.CLOSE, "close")
        super().close(file_obj)
        self._after(fault)

    async def stat(self, path: bytes) -> os.stat_result:
        fault = await self._before(Step.STAT, "stat", path)
        found = super().stat(path)
        assert isinstance(found, os.stat_result)
        self._after(fault)
        return found

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        fault = await self._before(Step.RENAME, "rename", oldpath, newpath)
        super().rename(oldpath, newpath)
        self._after(fault)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if not self._server.posix_rename:
            raise asyncssh.SFTPOpUnsupported("no such extension")
        fault = await self._before(Step.RENAME, "posix-rename", oldpath, newpath)
        super().posix_rename(oldpath, newpath)
        self._after(fault)

    async def remove(self, path: bytes) -> None:
        fault = await self._before(Step.REMOVE, "remove", path)
        super().remove(path)
        self._after(fault)


def make_key(kind: str) -> asyncssh.SSHKey:
    """Return a new private key of *kind*, as "ssh-ed25519"."""
    # With a comment: of keys without one, paramiko cannot read those whose private part needs no padding.
    return asyncssh.generate_private_key(kind, comment="footfall")


def public_line(key: asyncssh.SSHKey) -> str:
    """Return the public part of *key* as "ssh-ed25519 AAAA..."."""
    return " ".join(key.export_public_key().decode().split()[:2])


@contextlib.contextmanager
def server_that_only_says(greeting: bytes, *, hang_up: bool = False) -> Iterator[int]:
    """Yield the port of a server that sends *greeting* to each client, and then hangs up or sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as callers:

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener was closed: the end
                while True:
                    caller, _ = listener.accept()
                    caller.sendall(greeting)
                    if hang_up:
                        caller.close()
                    else:
                        callers.callback(caller.close)

        thread = threading.Thread(target=serve, name="greeter", daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        thread.join()
