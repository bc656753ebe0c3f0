"""The forwarder's process: the real parts, put together, until it is told to end."""

import logging
import os
import random
import signal
import time

from filelock import FileLock, Timeout

from footfall.errors import FootfallError
from footfall.registry import live_registry
from footfall.store.influx import InfluxWriter
from footfall.store.influx_config import InfluxConfig
from footfall.store.influx_witness import InfluxWitness
from footfall.store.journal import FILE_NAME
from footfall.store.outbox import Outbox
from footfall.store.shipments import FILE_NAME as SHIPMENTS
from footfall.store.shipments import Shipments
from ingest.config import IngestConfig
from ingest.forwarder import Forwarder

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
            log.info("the journal is forwarded to InfluxDB at %s, %s", influx.url, influx.influx_bucket)
            while True:
                if not forwarder.step():
                    time.sleep(LOOK_AGAIN_S)
    except Timeout:
        hint = "ingest runs one itself where InfluxDB is set up"
        raise FootfallError(f"another forwarder works in {config.data}", hint=hint) from None


def open_forwarder(config: IngestConfig, influx: InfluxConfig) -> Forwarder:
    """Return the forwarder of the journal of *config*, on the real InfluxDB, files and clock."""
    return Forwarder(
        Outbox(config.data / FILE_NAME),
        Shipments(config.data / SHIPMENTS),
        InfluxWriter(influx),
        live_registry(config.path, config.data, config.registry, time.monotonic),
        time.time,
        random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        holds=InfluxWitness(influx),
    )
