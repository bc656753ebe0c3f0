"""Serves the app with granian: a supervisor process and one worker, which holds the journal.

One worker on purpose: the journal has one writer, and its threads share fsyncs. Why granian: docs/decisions.md.
"""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from footfall.processes import die_with
from footfall.registry import live_registry
from footfall.store.group_commit import GroupCommit
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.reader import JournalReader
from ingest.app import create_app
from ingest.config import IngestConfig
from ingest.metrics import Metrics
from ingest.parts import Parts

log = logging.getLogger(__name__)


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


def build_parts(config: IngestConfig, clock: Callable[[], float]) -> Parts:
    """Return the real parts of a service configured by *config*; *clock* tells seconds since 1970 UTC."""
    metrics = Metrics()
    journal = config.data / FILE_NAME
    reader = JournalReader(journal)
    registry = live_registry(config.path, config.data, config.registry, time.monotonic)
    parts = Parts(
        config=config,
        registry=registry,
        commit=GroupCommit(Journal(journal), metrics.observe_commit),
        reader=reader,
        metrics=metrics,
        clock=clock,
    )
    metrics.watch(registry, reader, journal, parts.now_utc)
    return parts


def _load(config: IngestConfig, supervisor: int) -> Callable[..., Any]:
    """Build the app inside the worker process."""
    die_with(supervisor)
    app: Flask = create_app(build_parts(config, time.time))
    log.info("ingest takes batches at http://%s:%d, journal %s", config.host, config.port, config.data / FILE_NAME)
    return app


_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"handlers": [], "level": "ERROR", "propagate": True}},
}
