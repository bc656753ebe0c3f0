"""One connection to an SFTP server: opened, its host key checked, logged in, and closed.

The only file that knows paramiko. Every error of paramiko and of the network leaves ``open_session`` as a
DeliveryError, by the table below.
"""

import contextlib
import functools
import logging
import socket
import stat
import struct
from collections.abc import Callable, Iterator

import paramiko
from paramiko import sftp, ssh_exception

from exporter.destinations import sftp_verdicts as verdicts
from exporter.destinations.deadline import Attempt
from exporter.destinations.sftp_settings import HostKey, SftpSettings
from exporter.destinations.sftp_upload import SftpRequestRefused, WrongSize
from footfall.errors import DeliveryError

# Paramiko logs a traceback of every failure that it also raises, and DeliveryError reports it already. To see
# paramiko's logs, set the level of its logger before the first delivery.
if logging.getLogger("paramiko").level == logging.NOTSET:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_BLOCK = 32768  # the largest write every server takes (draft-ietf-secsh-filexfer-02, section 3)

# Lists every class of paramiko.ssh_exception; a test fails when paramiko adds one.
VERDICTS: dict[type[BaseException], verdicts.SftpVerdict] = {
    ssh_exception.AuthenticationException: verdicts.LOGIN_REFUSED,
    ssh_exception.UnableToAuthenticate: verdicts.LOGIN_REFUSED,
    ssh_exception.PartialAuthentication: verdicts.LOGIN_REFUSED,
    ssh_exception.BadAuthenticationType: verdicts.OTHER_LOGIN_WANTED,
    ssh_exception.PasswordRequiredException: verdicts.KEY_ENCRYPTED,
    ssh_exception.BadHostKeyException: verdicts.HOST_KEY_CHANGED,
    ssh_exception.IncompatiblePeer: verdicts.NO_COMMON_ALGORITHM,
    ssh_exception.ChannelException: verdicts.NO_SESSION,
    ssh_exception.MessageOrderError: verdicts.NOT_UNDERSTOOD,
    ssh_exception.NoValidConnectionsError: verdicts.REFUSED,
    ssh_exception.ProxyCommandFailure: verdicts.SSH_CONFIG,
    ssh_exception.CouldNotCanonicalize: verdicts.SSH_CONFIG,
    ssh_exception.ConfigParseError: verdicts.SSH_CONFIG,
    ssh_exception.SSHException: verdicts.FAILED,
    sftp.SFTPError: verdicts.NOT_UNDERSTOOD,
    LookupError: verdicts.NOT_UNDERSTOOD,  # this and the next two: paramiko does not check all it reads
    struct.error: verdicts.NOT_UNDERSTOOD,
    ValueError: verdicts.NOT_UNDERSTOOD,
    UnicodeDecodeError: verdicts.NOT_UNDERSTOOD,
    UnicodeError: verdicts.HOST_NOT_FOUND,  # a host that cannot be written as a name (RFC 5891)
    WrongSize: verdicts.WRONG_SIZE,
    socket.gaierror: verdicts.HOST_NOT_FOUND,
    ConnectionRefusedError: verdicts.REFUSED,
    TimeoutError: verdicts.NO_ANSWER,
    EOFError: verdicts.BROKEN,
    OSError: verdicts.BROKEN,
}

_RENAMING = "renaming"


class Session:
    """A logged-in SFTP session: a Remote for upload(), and a check of the folder."""

    def __init__(self, client: "_Client", attempt: Attempt) -> None:
        self._client = client
        self._attempt = attempt

    def write_file(self, path: str, content: bytes) -> None:
        """Write *content* to *path*, every block acknowledged, and close it."""
        self._attempt.step = "opening the file"
        handle = self._client.create(path)
        self._attempt.step = "writing"
        for offset in range(0, len(content), _BLOCK):
            self._client.ask(sftp.CMD_WRITE, handle, sftp.int64(offset), content[offset : offset + _BLOCK])
        self._attempt.step = "closing the file"
        self._client.ask(sftp.CMD_CLOSE, handle)

    def size(self, path: str) -> int | None:
        """Return the size of *path* in bytes; None if the server omits it."""
        self._attempt.step = "checking the size"
        return self._client.stat(path).st_size

    def exists(self, path: str) -> bool:
        """Return False only if the server says that *path* does not exist."""
        try:
            self._client.stat(path)
        except SftpRequestRefused as refused:
            return refused.code != SftpRequestRefused.NO_SUCH_FILE
        return True

    def posix_rename(self, old: str, new: str) -> None:
        """Rename *old* to *new* in one step, replacing it."""
        self._attempt.step = _RENAMING
        self._client.posix_rename(old, new)

    def rename(self, old: str, new: str) -> None:
        """Rename *old* to *new*, which must not exist."""
        self._attempt.step = _RENAMING
        self._client.rename(old, new)

    def remove_quietly(self, path: str) -> None:
        """Remove *path* if it exists and can be removed. A lost connection shows at the next request."""
        with contextlib.suppress(*VERDICTS):
            self._client.remove(path)

    def check_folder(self, folder: str) -> str:
        """Return a sentence about *folder*, if the server shows it. Raises SftpRequestRefused if it is missing."""
        self._attempt.step = "looking for the folder"
        try:
            mode = self._client.stat(folder).st_mode
        except SftpRequestRefused as refused:
            if refused.code == SftpRequestRefused.NO_SUCH_FILE:
                raise
            return f"folder {folder} not checked: the server does not show it"
        if mode is not None and not stat.S_ISDIR(mode):
            raise SftpRequestRefused(SftpRequestRefused.NO_SUCH_FILE, "not a folder")
        return f"folder {folder} exists"


class _Client(paramiko.SFTPClient):
    """Paramiko's client, which reports the status of every answer.

    Paramiko's own keeps only two of the codes and fails on messages that are not UTF-8. Its file object ignores the
    answer to a close, which may be the first sign of a full disk.
    """

    def create(self, path: str) -> bytes:
        """Open *path* for writing, new and empty, and return its handle."""
        flags = sftp.SFTP_FLAG_WRITE | sftp.SFTP_FLAG_CREATE | sftp.SFTP_FLAG_TRUNC
        kind, answer = self.ask(sftp.CMD_OPEN, path, flags, paramiko.SFTPAttributes())
        if kind != sftp.CMD_HANDLE:
            raise sftp.SFTPError("no handle")
        return answer.get_binary()

    def ask(self, kind: int, *fields: object) -> tuple[int, paramiko.Message]:
        """Send one request and return the type and the rest of its answer. Raises SftpRequestRefused."""
        answer: tuple[int, paramiko.Message] = self._request(kind, *fields)  # type: ignore[attr-defined]  # left out of the stubs
        return answer

    def _convert_status(self, answer: paramiko.Message) -> None:
        """Raise SftpRequestRefused unless the status in *answer* is OK; paramiko calls this for every status."""
        code = answer.get_int()
        if code != sftp.SFTP_OK:
            raise SftpRequestRefused(code, answer.get_binary().decode("utf-8", "replace"))


@contextlib.contextmanager
def open_session(settings: SftpSettings, attempt: Attempt, action: str) -> Iterator[Session]:
    """Yield a session that is closed when the block ends. Every error in it becomes a DeliveryError for *action*."""
    with _translated(settings, attempt, action), contextlib.ExitStack() as cleanup:
        key = _load_key(settings, action)
        attempt.step = "connecting"
        sock = socket.create_connection((settings.host, settings.port), settings.connect_timeout_s)
        cleanup.callback(sock.close)
        attempt.hold(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or every block waits 40 ms for an acknowledgement
        transport = paramiko.Transport(sock)
        cleanup.callback(_end, transport, sock)
        attempt.step = "shaking hands"
        _shake_hands(settings, transport)
        _require_pinned_key(settings, transport, action)
        attempt.step = "logging in"
        _log_in(settings, transport, key, action)
        attempt.step = "opening the SFTP session"
        channel = transport.open_session(timeout=settings.channel_timeout_s)
        channel.settimeout(settings.channel_timeout_s)
        channel.invoke_subsystem("sftp")
        yield Session(_Client(channel), attempt)


def _load_key(settings: SftpSettings, action: str) -> paramiko.PKey | None:
    """Return the private key in ``key_file``; None if none is set."""
    if settings.key_file is None:
        return None
    kinds: list[type[paramiko.PKey]] = [paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey]
    for kind in kinds:
        try:
            return kind.from_private_key_file(str(settings.key_file), settings.key_passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except OSError as exc:
            raise DeliveryError(
                f"{action}: key file {settings.key_file} cannot be read ({exc.strerror})",
                permanent=True,
                hint="correct key_file in footfall.toml, or let the user that runs Footfall read that file",
            ) from exc
        except (paramiko.SSHException, ValueError):
            continue  # another type of key, or not a key
    raise DeliveryError(
        f"{action}: key file {settings.key_file} has no Ed25519, ECDSA or RSA key that its passphrase opens",
        permanent=True,
        hint="correct key_passphrase_file, or convert the key to OpenSSH's format (ssh-keygen -p -f KEY_FILE) and "
        "give it a comment, without which paramiko cannot read some keys (ssh-keygen -c -C footfall -f KEY_FILE)",
    )


def _shake_hands(settings: SftpSettings, transport: paramiko.Transport) -> None:
    """Agree on keys with the server, which proves its identity by one of its host keys.

    A server with several keys shows one of the type the caller prefers, so the types of the pinned keys go first. The
    other types stay on the list: a server that has only those is refused as changed, and the error shows its key.
    """
    transport.banner_timeout = transport.handshake_timeout = settings.banner_timeout_s
    transport.auth_timeout = settings.auth_timeout_s
    options = transport.get_security_options()
    kinds = {key.kind for key in settings.pinned}
    if "ssh-rsa" in kinds:  # the type of the key, which is not the name of its signatures (RFC 8332)
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    options.key_types = tuple(sorted(options.key_types, key=lambda algorithm: algorithm not in kinds))
    transport.start_client(timeout=settings.deadline_s)  # the timeouts of banner and handshake end it long before


def _require_pinned_key(settings: SftpSettings, transport: paramiko.Transport, action: str) -> None:
    """Raise DeliveryError, showing the server's key, unless that key is pinned. Nothing secret has been sent yet."""
    shown = transport.get_remote_server_key()
    presented = HostKey(shown.get_name(), shown.asbytes())
    if presented in settings.pinned:
        return
    why, warning = "host key unknown", ""
    if settings.pinned:
        why = "host key changed"
        warning = "Either the client has a new server, or someone else answers in its place. "
    raise DeliveryError(
        f"{action}: {why}",
        permanent=True,
        hint=f"the server presented this key:\n  {presented.line}\n  {presented.fingerprint}\n{warning}"
        "Check the fingerprint with the client by some other means, such as the telephone; "
        "only then paste the first line into host_key in footfall.toml",
    )


def _log_in(settings: SftpSettings, transport: paramiko.Transport, key: paramiko.PKey | None, action: str) -> None:
    """Log in with the key, the agent's keys and the password, in that order, until the server is satisfied."""
    refused: paramiko.AuthenticationException | None = None
    with contextlib.closing(paramiko.Agent()) if settings.use_agent else contextlib.nullcontext() as agent:
        keys = [*([key] if key else []), *(agent.get_keys() if agent else [])]
        ways: list[Callable[[], object]] = [
            functools.partial(transport.auth_publickey, settings.user, each) for each in keys
        ]
        if settings.password is not None:
            ways.append(functools.partial(transport.auth_password, settings.user, settings.password))
        for log_in in ways:
            try:
                log_in()
            except paramiko.AuthenticationException as exc:
                refused = refused or exc
                if not transport.is_active():
                    break  # some servers hang up after a refusal
            if transport.is_authenticated():
                return
    if refused is not None:
        raise refused
    raise DeliveryError(
        f"{action}: {'the server asks for one more way to log in' if ways else 'no way to log in is set'}",
        permanent=True,
        hint="set key_file, agent or password_file in footfall.toml, as agreed with the client",
    )


def _end(transport: paramiko.Transport, sock: socket.socket) -> None:
    """Close the connection, and end paramiko's threads."""
    transport.packetizer.complete_handshake()  # its timer is a thread that would delay the end of the process
    transport.close()
    with contextlib.suppress(OSError):  # closed already
        sock.shutdown(socket.SHUT_RDWR)  # wakes the reading thread, which otherwise looks every 0.1 s
    if transport.is_alive():
        transport.join(1.0)


@contextlib.contextmanager
def _translated(settings: SftpSettings, attempt: Attempt, action: str) -> Iterator[None]:
    """Turn every error of paramiko and of the network into the DeliveryError for *action*."""
    try:
        yield
    except tuple(VERDICTS) as exc:
        why, permanent, hint = _verdict_on(exc, attempt.step)
        details = {
            "step": attempt.step,
            "detail": _printable(getattr(exc, "strerror", None) or str(exc) or "connection closed"),
            "user": settings.user,
            "host": settings.host,
            "folder": settings.folder,
        }
        raise DeliveryError(
            f"{action}: {why.format_map(details)}", permanent=permanent, hint=hint.format_map(details)
        ) from exc


def _printable(text: str) -> str:
    """Return *text*, which a server may have sent, with all terminal control characters escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _verdict_on(exc: BaseException, step: str) -> verdicts.SftpVerdict:
    """Return the verdict on *exc*, which was raised in *step*."""
    if isinstance(exc, SftpRequestRefused):
        if exc.code == SftpRequestRefused.NO_SUCH_FILE:
            return verdicts.PART_GONE if step == _RENAMING else verdicts.NO_FOLDER
        return verdicts.BY_STATUS.get(exc.code, verdicts.SERVER_FAILED)
    if type(exc) in {paramiko.SSHException, paramiko.AuthenticationException}:
        # Only the text tells these failures of the network apart.
        if "timeout" in str(exc).lower():
            return verdicts.NO_ANSWER
        if "EOF" in str(exc) or "dropped" in str(exc):
            return verdicts.BROKEN
    return next(VERDICTS[kind] for kind in type(exc).__mro__ if kind in VERDICTS)
