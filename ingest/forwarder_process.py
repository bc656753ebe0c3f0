"""The forwarder's process: builds a Forwarder of real parts and steps it until a signal ends it."""

import logging
import os
import random
import signal
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from footfall.errors import FootfallError, StoreUnavailable
from footfall.registry import live_registry
from footfall.store.forwarder_state import FILE_NAME as FORWARDER_STATE
from footfall.store.forwarder_state import ForwarderState
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influx_writer import InfluxWriter
from footfall.store.influxql import InfluxQL
from footfall.store.journal import FILE_NAME
from footfall.store.journal_pruning import Pruner
from footfall.store.outbox import Outbox
from ingest.forwarder import Forwarder
from ingest.ingest_settings import IngestConfig

log = logging.getLogger(__name__)

LOCK_NAME = "forwarder.lock"
POLL_S = 1.0
"""The longest a crossing waits before it is sent."""

_LOCK_TIMEOUT_S = 10  # after ingest was killed, its forwarder may end a moment later


def run(config: IngestConfig, influx: InfluxConfig) -> None:
    """Forward the journal of *config* to *influx* until SIGTERM or SIGINT.

    The process ends at once, whatever it is doing; the next one writes again what this one did not record.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    try:
        with FileLock(config.data / LOCK_NAME, timeout=_LOCK_TIMEOUT_S):
            forwarder = open_forwarder(config, influx)
            prune = _pruning(config)
            log.info("forwarding the journal to InfluxDB: url=%s bucket=%s", influx.url, influx.influx_bucket)
            while True:
                if not forwarder.step():
                    prune()
                    time.sleep(POLL_S)
    except Timeout:
        hint = "ingest runs one itself if InfluxDB is configured"
        raise FootfallError(f"another forwarder is running in {config.data}", hint=hint) from None


def _pruning(config: IngestConfig) -> Callable[[], None]:
    """Return a function that prunes some old crossings, if keep_days is set. It logs its failures."""
    if config.keep_days is None:
        return lambda: None
    pruner = Pruner(config.data / FILE_NAME, config.keep_days, time.time)

    def prune() -> None:
        try:
            pruner.step()
        except StoreUnavailable as exc:
            log.warning("old crossings were not deleted, retrying: %s; %s", exc.message, exc.hint)

    return prune


def open_forwarder(config: IngestConfig, influx: InfluxConfig) -> Forwarder:
    """Return the forwarder of the journal of *config*, with the real InfluxDB, files and clock."""
    return Forwarder(
        Outbox(config.data / FILE_NAME),
        ForwarderState(config.data / FORWARDER_STATE),
        InfluxWriter(influx),
        live_registry(config.path, config.data, config.registry, time.monotonic),
        time.time,
        random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        has_point=InfluxQL(influx).has_point,
    )
