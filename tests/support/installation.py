"""A Footfall set up in a folder, as a technician would: footfall.toml, keys, and the services as real processes."""

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


_BLOCK = 400


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on now, and that no other test process takes.

    Not one that the system would choose: until the server that is to have it listens, the system might give it to
    somebody's connection. Systems choose above 32767.
    """
    for port in islice(_own_ports(), _BLOCK):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports of this process are taken")


@functools.cache
def _own_ports() -> Iterator[int]:
    """Return some hundred ports over and over: a block whose first port this process keeps as long as it lives."""
    for first in range(10_000, 32_000, _BLOCK):
        sign = socket.socket()
        try:
            sign.bind(("127.0.0.1", first))
        except OSError:
            sign.close()
            continue
        atexit.register(sign.close)
        return cycle(range(first + 1, first + _BLOCK))
    raise AssertionError("all blocks of ports are taken")


@dataclass
class Installation:
    """A folder with a footfall.toml. ``keys`` has the raw key of each counter."""

    folder: Path
    port: int
    keys: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where its ingest answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        """Its journal."""
        return self.data / "journal.sqlite"

    def run(self, *arguments: str, check: bool = True, **variables: str) -> "subprocess.CompletedProcess[bytes]":
        """Run `footfall ARGUMENTS` in the folder and return what it printed; *variables* join the environment."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.folder, capture_output=True, timeout=120, check=False, env={**os.environ, **variables},
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"footfall {' '.join(arguments)}: {done.returncode}\n{done.stderr.decode()}")
        return done

    @contextmanager
    def serving(self, service: str = "ingest") -> Iterator["subprocess.Popen[bytes]"]:
        """Run `footfall SERVICE` until the block ends; it starts when ingest is ready. Logs go to SERVICE.log."""
        with (self.folder / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", service],
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                if service != "exporter":
                    self.wait_ready()
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(10)

    def wait_ready(self, timeout_s: float = 20) -> None:
        """Return once ingest answers that it is ready."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if urllib3.request("GET", f"{self.url}/readyz", timeout=2, retries=False).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"ingest is not ready: {(self.folder / 'ingest.log').read_text()}")

    def post(self, body: bytes, *, counter: str = "ALLI1", headers: Mapping[str, str] | None = None) -> "Reply":
        """POST *body* as a batch, signed with the key of *counter* now unless *headers* are given."""
        if headers is None:
            headers = self.signed(body, counter)
        answer = urllib3.request("POST", self.url + wire.PATH, body=body, headers=headers, timeout=20, retries=False)
        return Reply(answer.status, dict(answer.headers), answer.data)

    def signed(self, body: bytes, counter: str = "ALLI1", at_s: float | None = None) -> dict[str, str]:
        """Return the headers that send *body* signed."""
        stamp = int(time.time() if at_s is None else at_s)
        signed = signing.signed_headers(self.keys[counter], f"msg_{os.urandom(8).hex()}", stamp, body)
        return {"Content-Type": "application/json", **signed}

    def get(self, path: str) -> Any:
        """Return the JSON that GET *path* answers."""
        return json.loads(urllib3.request("GET", self.url + path, timeout=20, retries=False).data)


@dataclass(frozen=True)
class Reply:
    """An answer of ingest."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body decoded."""
        return json.loads(self.body)


def install(
    folder: Path,
    counters: tuple[str, ...] = ("ALLI1", "ALLI2"),
    *,
    site: str = SITE,
    profile: str = PROFILE,
    more: str = "",
) -> Installation:
    """Write a footfall.toml with *site*, *counters* of it, *profile* and *more*, and the keys; return the installation.

    *more* may hold settings of [ingest] as its first lines.
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
    """Return the body of a batch of *crossings* (seq, time in epoch ms, direction); the span holds their times."""
    times = [time_epoch_ms for _, time_epoch_ms, _ in crossings if time_epoch_ms is not None]
    chosen = span or Span(min(times, default=0), max(times, default=0) + 1)
    return wire.render_body(counter, stream, chosen, list(crossings))  # type: ignore[arg-type]  # tests send wrong ones too
