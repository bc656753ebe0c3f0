"""The balancer of compose.replicas.yml on loopback: the real Caddy with the deployed configuration."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import urllib3

from harness.installation import free_port
from simulator.unreliable_network import HttpTransport, Response
from tests.support.compose import ROOT, tool

SETTINGS = ROOT / "deploy" / "caddy" / "balancer.Caddyfile"


@contextmanager
def balancer(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Balance between the ingests on *ports* and yield the address; Caddy writes to *folder*."""
    folder.mkdir()
    port = free_port()
    environment = {
        "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "BALANCER_PORT": str(port),
        "BALANCER_LOOKS_EVERY": "1s", "INGEST_REPLICAS": " ".join(f"127.0.0.1:{one}" for one in ports),
    }  # fmt: skip
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(SETTINGS)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as caddy,
    ):
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            caddy.terminate()


class TransportFrom(HttpTransport):
    """A transport whose requests appear to come from *address*, as behind a proxy."""

    def __init__(self, url: str, address: str) -> None:
        """Send to *url* as *address*."""
        super().__init__(url)
        self._address = address

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Return the response. Raises NetworkFailure."""
        return super().post(body, {**headers, "x-forwarded-for": self._address})


def _wait_until_ready(url: str, log: Path) -> None:
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        try:
            if urllib3.request("GET", f"{url}/readyz", timeout=2, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the balancer is not ready: {log.read_text()[-2000:]}")
