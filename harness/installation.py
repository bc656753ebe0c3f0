"""An installation of Footfall in a folder: footfall.toml, keys, and the services as real processes."""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import urllib3

from footfall import keys, signing, wire
from footfall.model import Span

SITE = """
[sites.alliance]
name = "Alliance"
code = "ALLI"
timezone = "Europe/Paris"
hours = "08:00-19:00"
capacity = 120
"""
PROFILE = """
[profiles.alliance]
site = "alliance"
"""

_BLOCK = 400  # ports a process
READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
COMMAND_TIMEOUT_S = 600


def free_port() -> int:
    """Return a free TCP port of the loopback, from a block that no other process gets ports from.

    It is below the system's ephemeral range (above 32767), so no outgoing connection takes it before the server does.
    """
    for port in islice(_own_ports(), _BLOCK):
        if is_free(port):
            return port
    raise RuntimeError("every port in this process's block is in use")


def is_free(port: int) -> bool:
    """Return whether a server can listen on *port* of the loopback."""
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


@functools.cache
def _own_ports() -> Iterator[int]:
    """Yield a block of ports over and over. The process claims the block by keeping its first port open."""
    for first in range(10_000, 32_000, _BLOCK):
        sign = socket.socket()
        try:
            sign.bind(("127.0.0.1", first))
        except OSError:
            sign.close()
            continue
        atexit.register(sign.close)
        return cycle(range(first + 1, first + _BLOCK))
    raise RuntimeError("every block of ports is in use")


def command(*arguments: str) -> list[str]:
    """Return the command line of `footfall ARGUMENTS`."""
    return [sys.executable, "-m", "cli", *arguments]


def wait_ready(url: str, process: "subprocess.Popen[bytes] | None" = None) -> bool:
    """Return True once the ingest at *url* is ready; False if *process* ends or READY_TIMEOUT_S pass first."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while (process is None or process.poll() is None) and time.monotonic() < deadline_s:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{url}/readyz", timeout=2, retries=False).status == 200:
                return True
        time.sleep(0.05)
    return False


def kill_session(process: "subprocess.Popen[bytes]") -> None:
    """Kill *process* and everything in its session, as a power cut would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Installation:
    """A folder with a footfall.toml, and the port of its ingest. ``keys`` holds each counter's raw key."""

    folder: Path
    port: int
    keys: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of its ingest."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        """Its journal file."""
        return self.data / "journal.sqlite"

    def run(self, *arguments: str, check: bool = True, **variables: str) -> "subprocess.CompletedProcess[bytes]":
        """Run `footfall ARGUMENTS` in the folder, with *variables* added to the environment, and return the result."""
        done = subprocess.run(
            command(*arguments), cwd=self.folder, capture_output=True, check=False, env={**os.environ, **variables},
            timeout=COMMAND_TIMEOUT_S,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"footfall {' '.join(arguments)}: {done.returncode}\n{done.stderr.decode()}")
        return done

    def start(self, service: str = "ingest") -> "subprocess.Popen[bytes]":
        """Start `footfall SERVICE` in a session of its own; its log is SERVICE.log. Ingest is ready on return."""
        path = self.folder / f"{service}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
                command(service), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        if service != "exporter" and not wait_ready(self.url, process):
            kill_session(process)
            raise AssertionError(f"{service} is not ready: {path.read_text()}")
        return process

    @contextmanager
    def serving(self, service: str = "ingest") -> Iterator["subprocess.Popen[bytes]"]:
        """Run `footfall SERVICE` while the block runs. Ingest is ready when the block begins."""
        process = self.start(service)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                kill_session(process)

    def wait_ready(self) -> None:
        """Return once ingest is ready again."""
        if not wait_ready(self.url):
            raise AssertionError(f"ingest is not ready: {(self.folder / 'ingest.log').read_text()}")

    def post(self, body: bytes, *, counter: str = "ALLI1", headers: Mapping[str, str] | None = None) -> "Reply":
        """POST *body* as a batch, signed with the key of *counter* unless *headers* are given."""
        if headers is None:
            headers = self.signed(body, counter)
        answer = urllib3.request("POST", self.url + wire.PATH, body=body, headers=headers, timeout=20, retries=False)
        return Reply(answer.status, dict(answer.headers), answer.data)

    def signed(self, body: bytes, counter: str = "ALLI1", at_s: float | None = None) -> dict[str, str]:
        """Return the headers of *body*, signed at *at_s* (default: now)."""
        stamp = int(time.time() if at_s is None else at_s)
        signed = signing.signed_headers(self.keys[counter], f"msg_{os.urandom(8).hex()}", stamp, body)
        return {"Content-Type": "application/json", **signed}

    def get(self, path: str) -> Any:
        """Return the JSON at *path*."""
        return json.loads(urllib3.request("GET", self.url + path, timeout=20, retries=False).data)


@dataclass(frozen=True)
class Reply:
    """A response of ingest."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


def install(
    folder: Path,
    counters: tuple[str, ...] = ("ALLI1", "ALLI2"),
    *,
    site: str = SITE,
    profile: str = PROFILE,
    more: str = "",
) -> Installation:
    """Write the keys and a footfall.toml with *site*, its *counters*, and *profile*; return the installation.

    *more* follows the [ingest] table, so its first lines may be settings of ingest.
    """
    port = free_port()
    name = site.split("[sites.", 1)[1].split("]", 1)[0]
    tables = "".join(
        f'\n[counters.{counter}]\nsite = "{name}"\nname = "Counter {counter[-1]}"\nlocation = "RDCentre"\n'
        for counter in counters
    )
    (folder / "data").mkdir(parents=True)
    (folder / "footfall.toml").write_text(f'[ingest]\nlisten = "127.0.0.1:{port}"\n{more}\n{site}{tables}{profile}')
    written = {counter: signing.new_key() for counter in counters}
    keys.write_keys(folder / "data" / keys.FILE_NAME, {counter: (key,) for counter, key in written.items()})
    return Installation(folder, port, {counter: signing.parse_key(key) for counter, key in written.items()})


def batch(
    *crossings: tuple[int, int | None, int], counter: str = "ALLI1", stream: str = "9f3c2a1b", span: Span | None = None
) -> bytes:
    """Return the body of a batch of *crossings* (seq, epoch ms, direction). By default *span* holds all of them."""
    times = [time_epoch_ms for _, time_epoch_ms, _ in crossings if time_epoch_ms is not None]
    chosen = span or Span(min(times, default=0), max(times, default=0) + 1)
    return wire.render_body(counter, stream, chosen, list(crossings))  # type: ignore[arg-type]  # tests send wrong ones too
