"""The client's SFTP server in the demos: a real SSH server with one account and one folder.

    python -m demo.client_server FOLDER PORT      on the loopback, until Ctrl-C

FOLDER holds the server's host key, the public key that may log in, and in ``in/`` the files it received.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncssh

INBOX = "in"
USER = "footfall"


def create_account(folder: Path, delivery_key: Path) -> str:
    """Write *delivery_key*, the exporter's private key, and a server's *folder* that accepts it.

    Return the server's host key as footfall.toml wants it.
    """
    key = asyncssh.generate_private_key("ssh-ed25519", comment="footfall")
    host_key = asyncssh.generate_private_key("ssh-ed25519", comment="demo client")
    _write_secret(delivery_key, key.export_private_key())
    _write_secret(folder / "host_key", host_key.export_private_key())
    _write_secret(folder / "authorized_keys", key.export_public_key())
    (folder / INBOX).mkdir(exist_ok=True)
    return " ".join(host_key.export_public_key().decode().split()[:2])


async def serve(folder: Path, host: str, port: int) -> None:
    """Receive files by SFTP until SIGTERM or SIGINT."""
    server = await asyncssh.listen(
        host,
        port,
        server_host_keys=[str(folder / "host_key")],
        authorized_client_keys=str(folder / "authorized_keys"),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder / INBOX).encode()),
        allow_scp=False,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"SFTP server: accepting files on port {port}", flush=True)
    await stop.wait()
    server.close()


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2])))
