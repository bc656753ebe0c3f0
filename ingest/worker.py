"""The worker process: builds the app with the real journal, registry and clock."""

import logging
import time
from collections.abc import Callable

from footfall import wire
from footfall.processes import die_with
from footfall.registry import live_registry
from footfall.store.group_commit import GroupCommit
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import FILE_NAME as LEDGER
from footfall.store.reader import open_reader
from ingest.app import create_app
from ingest.context import Context
from ingest.ingest_settings import IngestConfig
from ingest.metrics import Metrics
from ingest.pages import register
from ingest.wsgi_adapter import WsgiAdapter

log = logging.getLogger(__name__)


def load(config: IngestConfig, supervisor: int) -> WsgiAdapter:
    """Return the application. Called in the worker process, which exits when *supervisor* (a pid) does."""
    die_with(supervisor)
    app = create_app(build_context(config, time.time))
    register.load_templates(app)
    log.info("ingest is ready: address=http://%s:%d journal=%s", *config.listen, config.data / FILE_NAME)
    return WsgiAdapter(app, threads=config.threads, max_body_bytes=wire.MAX_BODY_BYTES)


def build_context(config: IngestConfig, clock: Callable[[], float]) -> Context:
    """Return the context of a service configured by *config*; *clock* returns seconds since 1970 UTC."""
    metrics = Metrics()
    journal = config.data / FILE_NAME
    reader = open_reader(config.data, config.read_influx)
    ledger = LedgerReader(config.data / LEDGER)
    registry = live_registry(config.path, config.data, config.registry, time.monotonic)
    context = Context(
        config=config,
        registry=registry,
        commit=GroupCommit(Journal(journal), metrics.observe_commit),
        reader=reader,
        metrics=metrics,
        clock=clock,
        ledger=ledger,
    )
    metrics.watch(registry, reader, journal, ledger, context.now_utc, is_forwarding=config.influx is not None)
    return context
