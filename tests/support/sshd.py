"""A real OpenSSH server on loopback, for one test: own settings, own host keys, own port.

It serves the user that runs the tests, by key. Its SFTP starts in the given folder.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sftp_server import make_key, public_line

# Not in the PATH of ordinary users. sshd re-executes itself for each connection, so it needs its full path.
_SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def require_sshd() -> str:
    """Return the path of sshd, or skip the test, saying how to install it."""
    if _SSHD is None:
        pytest.skip("needs OpenSSH's sshd: apt-get install -y openssh-server")
    return _SSHD


@dataclass(frozen=True)
class Sshd:
    """A running server. ``host_key_lines`` are in the order of the kinds asked for."""

    port: int
    user: str
    host_key_lines: tuple[str, ...]


@contextlib.contextmanager
def running_sshd(
    folder: Path,
    workplace: Path,
    *,
    authorized_keys: Sequence[str],
    host_key_kinds: Sequence[str] = ("ssh-ed25519",),
    refused_requests: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> Iterator[Sshd]:
    """Yield a server whose SFTP starts in *folder*; its own files go to *workplace*.

    *refused_requests* are SFTP requests it denies, by sftp-server's names, as "posix-rename"; *settings* are further
    lines of sshd_config.
    """
    sshd = require_sshd()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # its chroot before login, which a service would have created
    user = pwd.getpwuid(os.geteuid()).pw_name
    keys = [make_key(kind) for kind in host_key_kinds]
    for number, key in enumerate(keys):
        path = workplace / f"host_key_{number}"
        path.touch(0o600)
        key.write_private_key(path)
    (workplace / "authorized_keys").write_text("".join(f"{line}\n" for line in authorized_keys))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    refused = f"-P {','.join(refused_requests)}" if refused_requests else ""
    config = workplace / "sshd_config"
    config.write_text(
        "\n".join(
            [
                f"ListenAddress 127.0.0.1:{port}",
                *(f"HostKey {workplace}/host_key_{number}" for number in range(len(keys))),
                "PidFile none",
                f"AuthorizedKeysFile {workplace}/authorized_keys",
                "StrictModes no",  # the keys are in a temporary folder
                "UsePAM no",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin prohibit-password",
                f"Subsystem sftp internal-sftp -d {folder} {refused}",
                *settings,
                "",
            ]
        )
    )
    with (workplace / "sshd.log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log)
        try:
            _wait_for_banner(port, process, workplace / "sshd.log")
            yield Sshd(port, user, tuple(public_line(key) for key in keys))
        finally:
            process.terminate()
            process.wait(10)


def _wait_for_banner(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server greets callers; fail the test, with its log, when it ends or stays silent for 10 s."""
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as caller:
            if caller.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    pytest.fail(f"sshd did not start:\n{log.read_text()}")
