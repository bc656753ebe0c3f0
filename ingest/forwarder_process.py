"""The forwarder's process: the real parts, put together, until it is told to end."""

import logging
import os
import random
import signal
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from footfall.errors import FootfallError, StoreUnavailable
from footfall.registry import live_registry
from footfall.store.forwarder_state import FILE_NAME as SHIPMENTS
from footfall.store.forwarder_state import ForwarderState
from footfall.store.influx_canary import InfluxCanary
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influx_writer import InfluxWriter
from footfall.store.journal import FILE_NAME
from footfall.store.journal_pruning import Pruner
from footfall.store.outbox import Outbox
from ingest.forwarder import Forwarder
from ingest.ingest_settings import IngestConfig

log = logging.getLogger(__name__)

LOCK_NAME = "forwarder.lock"
LOOK_AGAIN_S = 1.0
"""How long a crossing waits at most before it is on its way."""

_FREE_WITHIN_S = 10  # the forwarder of an ingest that was killed may end a moment later


def run(config: IngestConfig, influx: InfluxConfig) -> None:
    """Forward the journal of *config* to *influx* until a signal ends this process.

    It ends at once, in the middle of whatever it does: what was not recorded is written again next time.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    try:
        with FileLock(config.data / LOCK_NAME, timeout=_FREE_WITHIN_S):
            forwarder = open_forwarder(config, influx)
            prune = _pruning(config)
            log.info("the journal is forwarded to InfluxDB at %s, %s", influx.url, influx.influx_bucket)
            while True:
                if not forwarder.step():
                    prune()
                    time.sleep(LOOK_AGAIN_S)
    except Timeout:
        hint = "ingest runs one itself where InfluxDB is set up"
        raise FootfallError(f"another forwarder works in {config.data}", hint=hint) from None


def _pruning(config: IngestConfig) -> Callable[[], None]:
    """Return a function that forgets some old crossings, if any are to be. It may fail as often as it must."""
    if config.keep_days is None:
        return lambda: None
    pruner = Pruner(config.data / FILE_NAME, config.keep_days, time.time)

    def prune() -> None:
        try:
            pruner.step()
        except StoreUnavailable as exc:
            log.warning("old crossings were not deleted, it is tried again: %s; %s", exc.message, exc.hint)

    return prune


def open_forwarder(config: IngestConfig, influx: InfluxConfig) -> Forwarder:
    """Return the forwarder of the journal of *config*, on the real InfluxDB, files and clock."""
    return Forwarder(
        Outbox(config.data / FILE_NAME),
        ForwarderState(config.data / SHIPMENTS),
        InfluxWriter(influx),
        live_registry(config.path, config.data, config.registry, time.monotonic),
        time.time,
        random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        holds=InfluxCanary(influx),
    )
