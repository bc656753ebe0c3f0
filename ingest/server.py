"""Serves the app with granian: a supervisor process and one worker process, which owns the journal.

There is one worker because the journal has one writer, whose threads share fsyncs. docs/decisions.md says why granian,
and wsgi_adapter.py why RSGI.
"""

import errno
import os
import socket
import time
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from footfall.errors import FootfallError
from footfall.store.journal import FILE_NAME
from footfall.store.outbox import set_forwarding
from ingest.ingest_settings import IngestConfig

_FREE_WITHIN_S = 3.0  # the worker of a killed ingest may hold the port a moment longer
_MOST_CONNECTIONS = 4096  # granian counts idle connections too, and each counter may keep one open

_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"handlers": [], "level": "ERROR", "propagate": True}},
}


def prepare(config: IngestConfig) -> None:
    """Create or migrate the journal and try the address, so that errors surface before anything is served."""
    set_forwarding(config.data / FILE_NAME, is_on=config.influx is not None, now_epoch_ms=int(time.time() * 1000))
    _try_address(*config.listen)


def serve(config: IngestConfig) -> None:
    """Serve until a SIGINT or SIGTERM."""
    server = Server(
        "footfall ingest",
        address=config.listen.host,
        port=config.listen.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        backpressure=_MOST_CONNECTIONS,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
    )
    server.serve(target_loader=partial(_load, config, os.getpid()), wrap_loader=False)


def _try_address(host: str, port: int) -> None:
    """Raise FootfallError if the address is unavailable: granian would silently share a port that is in use."""
    give_up_s = time.monotonic() + _FREE_WITHIN_S
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE or time.monotonic() > give_up_s:
                hint = "stop the other ingest, or change `listen` in [ingest] of footfall.toml"
                raise FootfallError(f"cannot listen on {host}:{port}: {exc.strerror}", hint=hint) from exc
            time.sleep(0.1)
        else:
            return


def _load(config: IngestConfig, supervisor: int) -> Any:
    """Return the application. Imported in the worker only, which saves the supervisor the memory of Flask."""
    from ingest import worker

    return worker.load(config, supervisor)
