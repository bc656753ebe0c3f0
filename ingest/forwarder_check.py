"""What ``footfall doctor`` looks at where an InfluxDB is set up."""

import time
from collections.abc import Iterator
from contextlib import closing

from footfall.errors import FootfallError
from footfall.model import from_epoch_ms
from footfall.store.forwarder_state import ForwarderLag, read_lag
from footfall.store.influx_settings import InfluxConfig, goes_in_the_clear
from footfall.store.journal import FILE_NAME
from ingest.ingest_settings import IngestConfig

LATE_S = 300
"""So far behind, the forwarder is not only busy."""

Found = tuple[str, str, str]
"""Subject, text, and what to do; that is empty where all is well."""


def check_forwarding(ingest: IngestConfig) -> Iterator[Found]:
    """Yield what there is to say of InfluxDB and of the forwarder. Raises FootfallError."""
    if ingest.influx is None:
        return
    if goes_in_the_clear(ingest.influx.url):
        hint = "use https, or an InfluxDB in a network of your own: whoever listens can read the token"
        yield "InfluxDB", f"the token goes to {ingest.influx.url} without encryption", hint
    if not (ingest.data / FILE_NAME).exists():
        return
    lag = read_lag(ingest.data / FILE_NAME, int(time.time() * 1000))
    yield _write_a_point(ingest, ingest.influx, lag)
    yield from _judge(lag)


def _write_a_point(ingest: IngestConfig, influx: InfluxConfig, lag: ForwarderLag) -> Found:
    """Write what the forwarder writes each minute: only a write shows whether writes are taken."""
    from footfall.store.influx_writer import InfluxWriter
    from footfall.store.outbox import Outbox
    from footfall.store.points import forwarder_point

    where = f"{influx.url}, {influx.influx_bucket}"
    try:
        with closing(Outbox(ingest.data / FILE_NAME)) as outbox, closing(InfluxWriter(influx)) as writer:
            writer.write([forwarder_point(outbox.ingest_id(), lag.waiting, lag.lag_s, lag.quarantined, time.time_ns())])
    except FootfallError as exc:
        return "InfluxDB", exc.message, exc.hint or "see docs/operations.md, Forwarding"
    return "InfluxDB", f"{where} takes points", ""


def _judge(lag: ForwarderLag) -> Iterator[Found]:
    progress = lag.progress
    if progress.failing_epoch_ms is not None:
        since = f"{from_epoch_ms(progress.failing_epoch_ms):%Y-%m-%d %H:%M} UTC"
        text = f"{lag.waiting} rows wait; since {since}: {progress.error}"
        yield "forwarder", text, progress.hint or "see docs/operations.md, Forwarding"
    elif lag.lag_s > LATE_S:
        text = f"{lag.waiting} rows wait, the oldest for {lag.lag_s // 60} minutes"
        yield "forwarder", text, "does ingest run? Its log tells what the forwarder does, or that it catches up"
    else:
        yield "forwarder", f"{progress.written} points written, {lag.waiting} rows wait", ""
    if lag.quarantined:
        yield (
            "quarantine",
            f"InfluxDB refused {lag.quarantined} points for good",
            "footfall quarantine shows them and why; then footfall quarantine --resend",
        )
