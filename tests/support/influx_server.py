"""A real InfluxDB on loopback: influxd 1.6 behind nginx, which adds the write endpoint of 1.8 and later.

    influxdb-client --POST /api/v2/write?bucket=B&precision=ns--> nginx --POST /write?db=B&precision=n--> influxd
    InfluxQL        --GET /query?db=B--------------------------->       ------------------------------->

nginx also checks the token, as 2.x does: TOKEN allows everything, READ_TOKEN everything except writes. If INFLUX_URL,
INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET are set, tests use that server instead. They empty the bucket before every
test, so its name must contain ``test``. Tests that stop or break the server need one of their own; they skip.
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

import filelock
import pytest
import urllib3

from tests.support.installation import free_port

TOKEN = "test-token"
READ_TOKEN = "test-read-token"
MOST_BODY_BYTES = 25_000_000  # influxd's own limit

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
_numbers = count(1)


@dataclass(frozen=True)
class InfluxDatabase:
    """A database, or bucket, that was empty when the test began."""

    url: str
    token: str
    org: str
    influx_bucket: str

    def write(self, lines: str) -> None:
        """Write *lines* of line protocol, times in ns."""
        url = f"{self.url}/api/v2/write?org={self.org}&bucket={self.influx_bucket}&precision=ns"
        answer = urllib3.request("POST", url, body=lines.encode(), headers=self._headers(), retries=False, timeout=20)
        assert answer.status == 204, answer.data

    def query(self, influxql: str) -> list[dict[str, Any]]:
        """Return every row that answers *influxql* as a dict of columns and tags; ``time`` is ns since 1970."""
        fields = {"db": self.influx_bucket, "q": influxql, "epoch": "ns"}
        answer = urllib3.request(
            "GET", f"{self.url}/query", fields=fields, headers=self._headers(), retries=False, timeout=20
        )
        document = json.loads(answer.data)
        assert answer.status == 200, document
        assert "error" not in document["results"][0], document
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True)), "measurement": series["name"]}
            for result in document["results"]
            for series in result.get("series", ())
            for row in series["values"]
        ]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}


class InfluxServer:
    """influxd and nginx on fixed ports. The data survives every stop, until empty()."""

    org = "footfall"

    def __init__(self, folder: Path, http_settings: str = "") -> None:
        """Store everything in *folder*. *http_settings* are more lines of influxd's [http]."""
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
            "read_token": READ_TOKEN, "most_body_bytes": MOST_BODY_BYTES})  # fmt: skip

    def start(self) -> None:
        """Start whichever of the two is stopped; return once they answer."""
        if self._influxd is None:
            self._influxd = self._run("influxd", "run", "-config", str(self._folder / "influxdb.conf"))
        if self._nginx is None:
            self._nginx = self._run("nginx", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"))
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if urllib3.request("GET", f"{self.url}/ping", timeout=2, retries=False).status == 204:
                    return
            time.sleep(0.02)
        pytest.fail("influxd did not start:\n" + (self._folder / "influxd.log").read_text()[-4000:])

    def stop(self) -> None:
        """Stop influxd as an operator would. nginx keeps running and answers 502."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill influxd as a power cut would. nginx keeps running and answers 502."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let influxd accept connections and never answer, until thaw()."""
        process = self._process()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)  # on a busy machine it may answer a little longer

    def thaw(self) -> None:
        """Resume influxd after freeze()."""
        self._process().send_signal(signal.SIGCONT)

    def close_front(self) -> None:
        """Stop nginx; connections are refused until start()."""
        if self._nginx is not None:
            self._nginx.terminate()
            self._nginx.wait(10)
            self._nginx = None

    def empty(self) -> None:
        """Stop influxd and delete its data, as if the volume were lost; start() starts it empty."""
        self.kill()
        for name in ("data", "wal", "meta"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def make_read_only(self) -> None:
        """Fail every write of influxd to a file, as on a full disk, until make_writable(). Reads still work."""
        _, hard = resource.prlimit(self._process().pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process().pid, resource.RLIMIT_FSIZE, (0, hard))

    def make_writable(self) -> None:
        """Let influxd write again; it must be restarted, as it does not recover by itself."""
        self.stop()
        self.start()

    def create(self, name: str | None = None) -> InfluxDatabase:
        """Return the database *name*, created if missing; by default a new one."""
        name = name or f"footfall-{os.getpid()}-{next(_numbers)}"
        self._ask(f'CREATE DATABASE "{name}"')
        return InfluxDatabase(self.url, TOKEN, self.org, name)

    def drop(self, database: InfluxDatabase) -> None:
        """Remove *database*."""
        self._ask(f'DROP DATABASE "{database.influx_bucket}"')

    def close(self) -> None:
        """Stop both."""
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
        self._influxd.wait(20)
        self._influxd = None

    def _process(self) -> "subprocess.Popen[bytes]":
        assert self._influxd is not None, "influxd was stopped"
        return self._influxd


def missing_programs() -> str:
    """Return which programs are missing and how to install them; "" if none is."""
    found = [package for program, package in (("influxd", "influxdb"), ("nginx", "nginx-light"))
             if shutil.which(program, path=_PATH) is None]  # fmt: skip
    command = f"apt-get install -y --no-install-recommends {' '.join(found)} tzdata"
    return f"needs {' and '.join(found)}: {command}" if found else ""


def require_influxd() -> None:
    """Skip the test if influxd or nginx is not installed."""
    if missing := missing_programs():
        pytest.skip(missing)


@contextlib.contextmanager
def running_influx_server(http_settings: str = "") -> Iterator[InfluxServer]:
    """Yield a server that the test may stop and break; skip if it cannot be started."""
    require_influxd()
    with TemporaryDirectory(prefix="footfall-influx-") as folder:
        server = InfluxServer(Path(folder), http_settings)
        try:
            server.start()
            yield server
        finally:
            server.close()


@contextlib.contextmanager
def database_elsewhere() -> Iterator[InfluxDatabase]:
    """Yield the bucket that the environment names, emptied (2.x: POST /api/v2/delete), to one test at a time."""
    names = ("INFLUX_URL", "INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET")
    database = InfluxDatabase(*(os.environ[name] for name in names))
    if "test" not in database.influx_bucket:
        pytest.fail("tests empty INFLUX_BUCKET: its name must contain `test`")
    with filelock.FileLock(Path("/tmp") / "footfall-influx-elsewhere.lock"):
        answer = urllib3.request(
            "POST", f"{database.url}/api/v2/delete?org={database.org}&bucket={database.influx_bucket}",
            headers={"Authorization": f"Token {database.token}"}, retries=False,
            json={"start": "1970-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z"},
        )  # fmt: skip
        assert answer.status == 204, answer.data
        yield database


@pytest.fixture(scope="session")
def shared_influx_server() -> Iterator[InfluxServer | None]:
    """Yield the server that all tests of a process share; None if the environment names another."""
    if "INFLUX_URL" in os.environ:
        yield None
        return
    with running_influx_server() as server:
        yield server


@pytest.fixture
def influx_database(shared_influx_server: InfluxServer | None) -> Iterator[InfluxDatabase]:
    """Yield an empty database on the shared server, or on the one that the environment names."""
    if shared_influx_server is None:
        with database_elsewhere() as database:
            yield database
        return
    database = shared_influx_server.create()
    yield database
    shared_influx_server.drop(database)


@pytest.fixture
def own_influx_server() -> Iterator[InfluxServer]:
    """Yield a server that the test may stop and break."""
    with running_influx_server() as server:
        yield server


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

# One process that writes only to this folder. The maps translate as 1.8 does; bucket is "db" or "db/rp".
_NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx.log;
events { worker_connections 256; }
http {
    access_log off;
    client_max_body_size %(most_body_bytes)d;
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
