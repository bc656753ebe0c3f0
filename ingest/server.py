"""Serves the app with granian: a supervisor process and one worker, which holds the journal.

One worker on purpose: the journal has one writer, and its threads share fsyncs. Why granian, and why its RSGI
interface carries a WSGI application: docs/decisions.md and bridge.py.
"""

import os
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from footfall.store.journal import FILE_NAME, Journal
from ingest.config import IngestConfig

_MOST_CONNECTIONS = 4096  # granian counts connections, idle ones too: each counter may keep one open

_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"handlers": [], "level": "ERROR", "propagate": True}},
}


def prepare(config: IngestConfig) -> None:
    """Make or migrate the journal, so that what is wrong with it is told before anything is served."""
    Journal(config.data / FILE_NAME).close()


def serve(config: IngestConfig) -> None:
    """Serve until a SIGINT or SIGTERM."""
    server = Server(
        "footfall ingest",
        address=config.host,
        port=config.port,
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


def _load(config: IngestConfig, supervisor: int) -> Any:
    """Return the application. Imported here, in the worker: the supervisor does without Flask and its memory."""
    from ingest import worker

    return worker.load(config, supervisor)
