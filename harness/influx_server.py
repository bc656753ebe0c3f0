"""A real InfluxDB on loopback: influxd 1.6 behind nginx, which adds the write endpoint of 1.8 and later.

    influxdb-client --POST /api/v2/write?bucket=B&precision=ns--> nginx --POST /write?db=B&precision=n--> influxd
    InfluxQL        --GET /query?db=B--------------------------->       ------------------------------->

nginx also checks the token, as 2.x does: TOKEN may read and write, READ_TOKEN may only read.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from harness.installation import free_port

TOKEN = "test-token"
READ_TOKEN = "test-read-token"
_MAX_BODY_BYTES = 25_000_000  # influxd's default limit
START_TIMEOUT_S = 120

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
_numbers = count(1)


@dataclass(frozen=True)
class InfluxDatabase:
    """A database (1.x) or bucket (2.x), and how to reach it."""

    url: str
    token: str
    org: str
    influx_bucket: str

    def write(self, lines: str) -> None:
        """Write *lines* of line protocol, with times in ns."""
        url = f"{self.url}/api/v2/write?org={self.org}&bucket={self.influx_bucket}&precision=ns"
        answer = urllib3.request("POST", url, body=lines.encode(), headers=self._headers(), retries=False, timeout=20)
        assert answer.status == 204, answer.data

    def query(self, influxql: str) -> list[dict[str, Any]]:
        """Return the rows of *influxql*, each a dict of columns, tags and measurement; ``time`` is in ns since 1970."""
        fields = {"db": self.influx_bucket, "q": influxql, "epoch": "ns"}
        answer = urllib3.request(
            "GET", f"{self.url}/query", fields=fields, headers=self._headers(), retries=False, timeout=20
        )
        decoded = json.loads(answer.data)
        assert answer.status == 200, decoded
        assert "error" not in decoded["results"][0], decoded
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True)), "measurement": series["name"]}
            for result in decoded["results"]
            for series in result.get("series", ())
            for row in series["values"]
        ]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}


class InfluxServer:
    """influxd and nginx. Ports and data survive stop() and start(); empty() deletes the data."""

    org = "footfall"

    def __init__(self, folder: Path, http_settings: str = "") -> None:
        """Store everything in *folder*. *http_settings* are added to the [http] section of influxd's settings."""
        self._folder = folder
        self._port, self._front_port, rpc_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._front_port}"
        self._influxd: subprocess.Popen[bytes] | None = None
        self._nginx: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "influxdb.conf").write_text(_INFLUXD.format(
            folder=folder, port=self._port, rpc_port=rpc_port, http_settings=http_settings))  # fmt: skip
        (folder / "nginx.conf").write_text(_NGINX % {
            "folder": folder, "port": self._port, "front_port": self._front_port, "token": TOKEN,
            "read_token": READ_TOKEN, "max_body_bytes": _MAX_BODY_BYTES})  # fmt: skip

    def start(self) -> None:
        """Start influxd and nginx, unless they run, and return once they answer."""
        if self._influxd is None:
            self._influxd = self._run("influxd", "run", "-config", str(self._folder / "influxdb.conf"))
        if self._nginx is None:
            self._nginx = self._run("nginx", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"))
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if urllib3.request("GET", f"{self.url}/ping", timeout=2, retries=False).status == 204:
                    return
            time.sleep(0.02)
        raise AssertionError("influxd did not start:\n" + (self._folder / "influxd.log").read_text()[-4000:])

    def stop(self) -> None:
        """Stop influxd as an operator would. nginx keeps running and answers 502."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill influxd, as a power cut would. nginx keeps running and answers 502."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Make influxd accept connections but never answer, until thaw()."""
        process = self._process()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)  # until then influxd may still answer

    def thaw(self) -> None:
        """Resume influxd after freeze()."""
        self._process().send_signal(signal.SIGCONT)

    def close_front(self) -> None:
        """Stop nginx, so that connections are refused until start()."""
        if self._nginx is not None:
            self._nginx.terminate()
            self._nginx.wait(60)
            self._nginx = None

    def empty(self) -> None:
        """Stop influxd and delete its data, as if its volume were lost."""
        self.kill()
        for name in ("data", "wal", "meta"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def make_read_only(self) -> None:
        """Make every write of influxd to a file fail, as on a full disk, until make_writable(). Queries still work."""
        _, hard = resource.prlimit(self._process().pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process().pid, resource.RLIMIT_FSIZE, (0, hard))

    def make_writable(self) -> None:
        """Let influxd write again. It does not recover by itself, so this restarts it."""
        self.stop()
        self.start()

    def create(self, name: str | None = None) -> InfluxDatabase:
        """Return the database *name*, creating it if needed; without a name, a new one."""
        name = name or f"footfall-{os.getpid()}-{next(_numbers)}"
        self._ask(f'CREATE DATABASE "{name}"')
        return InfluxDatabase(self.url, TOKEN, self.org, name)

    def drop(self, database: InfluxDatabase) -> None:
        """Drop *database*."""
        self._ask(f'DROP DATABASE "{database.influx_bucket}"')

    def close(self) -> None:
        """Stop influxd and nginx."""
        self.close_front()
        self.kill()

    def _ask(self, influxql: str) -> None:
        url = f"http://127.0.0.1:{self._port}/query"
        answer = urllib3.request("POST", url, fields={"q": influxql}, retries=False, timeout=20)
        assert b"error" not in answer.data, answer.data

    def _run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        path = shutil.which(program, path=_PATH)
        assert path, program
        with (self._folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen([path, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _end(self, number: signal.Signals) -> None:
        if self._influxd is None:
            return
        self._influxd.send_signal(number)
        self._influxd.send_signal(signal.SIGCONT)
        self._influxd.wait(60)
        self._influxd = None

    def _process(self) -> "subprocess.Popen[bytes]":
        assert self._influxd is not None, "influxd is stopped"
        return self._influxd


def missing_programs() -> str:
    """Return which programs are missing and the command that installs them; "" if none is."""
    found = [package for program, package in (("influxd", "influxdb"), ("nginx", "nginx-light"))
             if shutil.which(program, path=_PATH) is None]  # fmt: skip
    command = f"apt-get install -y --no-install-recommends {' '.join(found)} tzdata"
    return f"needs {' and '.join(found)}: {command}" if found else ""


@contextlib.contextmanager
def running_influx_server(http_settings: str = "") -> Iterator[InfluxServer]:
    """Run a server, empty at first, while the block runs."""
    with TemporaryDirectory(prefix="footfall-influx-") as folder:
        server = InfluxServer(Path(folder), http_settings)
        try:
            server.start()
            yield server
        finally:
            server.close()


_INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  {http_settings}
[continuous_queries]
  enabled = false
"""

# A single process that writes only to this folder. The maps translate as InfluxDB 1.8 does; bucket is "db" or "db/rp".
_NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx.log;
events { worker_connections 256; }
http {
    access_log off;
    client_max_body_size %(max_body_bytes)d;
    client_body_buffer_size 1m;
    client_body_temp_path %(folder)s/nginx-body;
    proxy_temp_path %(folder)s/nginx-proxy;
    fastcgi_temp_path %(folder)s/nginx-fastcgi;
    uwsgi_temp_path %(folder)s/nginx-uwsgi;
    scgi_temp_path %(folder)s/nginx-scgi;
    default_type application/json;
    upstream influx { server 127.0.0.1:%(port)d; keepalive 16; }
    map $arg_bucket $db { ~^(?<name>.+?)(?:/|%%2F) $name; default $arg_bucket; }
    map $arg_bucket $rp { ~(?:/|%%2F)(?<policy>.+)$ $policy; default ""; }
    map $arg_precision $p { ns n; us u; default $arg_precision; }
    map $http_authorization $may {
        "Token %(token)s" write;
        "Token %(read_token)s" read;
        default nothing;
    }
    server {
        listen 127.0.0.1:%(front_port)d;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_read_timeout 300s;
        location = /ping { proxy_pass http://influx; }
        location = /health { proxy_pass http://influx; }
        location = /query {
            if ($may = nothing) { return 401 '{"code":"unauthorized","message":"unauthorized access"}'; }
            proxy_pass http://influx;
        }
        location = /api/v2/write {
            if ($may = nothing) { return 401 '{"code":"unauthorized","message":"unauthorized access"}'; }
            if ($may = read) { return 403 '{"code":"forbidden","message":"insufficient permissions for write"}'; }
            proxy_pass http://influx/write?db=$db&rp=$rp&precision=$p;
        }
        location / { return 404 '{"code":"not found","message":"path not found"}'; }
    }
}
"""
