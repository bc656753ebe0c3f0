"""Serves the app with granian: a supervisor process and one worker, which holds the journal.

One worker on purpose: the journal has one writer, and its threads share fsyncs. Why granian: docs/decisions.md.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from footfall.store.journal import FILE_NAME, Journal
from ingest.config import IngestConfig

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
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        blocking_threads=config.threads,
        backpressure=config.threads * 2,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
        log_level=LogLevels.error,  # its warnings are on the number of threads, which is meant: they wait for the disk
        log_dictconfig=_LOGGING,
    )
    server.serve(target_loader=partial(_load, config, os.getpid()), wrap_loader=False)


def _load(config: IngestConfig, supervisor: int) -> Callable[..., Any]:
    """Return the app. Imported here, in the worker: the supervisor does without Flask and its memory."""
    from ingest import worker

    return worker.load(config, supervisor)
