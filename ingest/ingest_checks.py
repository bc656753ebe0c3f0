"""Ingest's checks for ``footfall doctor``."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import urllib3

from footfall.errors import FootfallError
from footfall.finding import Check, Finding
from footfall.model import CounterState, epoch_ms, from_epoch_ms
from footfall.store.forwarder_state import ForwarderLag, read_lag
from footfall.store.influx_settings import InfluxConfig, goes_in_the_clear
from footfall.store.journal import FILE_NAME
from footfall.store.journal_check import check_journal, has_journal
from footfall.store.journal_reader import JournalReader
from footfall.store.reader import open_reader
from footfall.store.sqlite import SchemaMismatch
from footfall.wording import plural
from ingest.ingest_settings import IngestConfig

LEAST_FREE_BYTES = 500 * 1024 * 1024
LATE_S = 300
"""A forwarder this far behind has a problem; it is not just busy."""


def ingest_checks(config: IngestConfig, exporter_reads: InfluxConfig | None, *, deep: bool) -> tuple[Check, ...]:
    """Return the checks of ingest; *deep* reads the whole journal.

    If the exporter reads InfluxDB, *exporter_reads*, ingest and its journal may be on another machine.
    """
    if exporter_reads is not None and not (config.data / FILE_NAME).exists():
        here: tuple[Check, ...] = (lambda: [Finding("ingest", "runs on another machine; run its doctor there")],)
    else:
        here = (partial(_check_journal, config, deep=deep), partial(_check_http, config))
    return (
        partial(_check_disk, config),
        *here,
        partial(_check_clock, config),
        partial(_check_influx, config),
        partial(_check_counters, config, exporter_reads),
    )


def _check_disk(config: IngestConfig) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(config.data).free
    except OSError as exc:
        yield Finding("disk", f"{config.data}: {exc.strerror}", "create the folder: footfall init; or correct `data`")
        return
    hint = "" if free > LEAST_FREE_BYTES else "free some space: on a full disk ingest stores nothing"
    yield Finding("disk", f"{free / 1e9:.1f} GB free for {config.data}", hint)


def _check_journal(config: IngestConfig, *, deep: bool) -> Iterator[Finding]:
    path = config.data / FILE_NAME
    if not path.exists():
        yield Finding("journal", f"{path} does not exist yet", "start ingest once: footfall up")
        return
    try:
        problems = check_journal(path, deep=deep)
    except SchemaMismatch as exc:
        yield Finding("journal", exc.message, exc.hint)
        return
    if problems:
        yield Finding("journal", "; ".join(problems), "follow docs/operate.md, Restore from a backup")
    else:
        checked = ", sums equal crossings" if deep else ""
        yield Finding("journal", f"{path}, {_size(path) / 1e6:.1f} MB{checked}")


def _size(path: Path) -> int:
    """Return the bytes of the database at *path* and of its write-ahead log."""
    found = 0
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):  # SQLite removes them when the last connection closes
            found += path.with_name(path.name + suffix).stat().st_size
    return found


def _check_clock(config: IngestConfig) -> Iterator[Finding]:
    now_utc = datetime.now(UTC)
    states: dict[str, CounterState] = {}
    if has_journal(config.data / FILE_NAME):
        states.update(JournalReader(config.data / FILE_NAME).counter_states(sorted(config.registry.counters)))
    ahead = from_epoch_ms(max((one.received_epoch_ms or 0 for one in states.values()), default=0)) - now_utc
    text = f"{now_utc:%Y-%m-%d %H:%M:%S} UTC"
    if ahead > timedelta(seconds=config.clock_tolerance_s):
        yield Finding("clock", f"{text}, but a batch was received {ahead} later", "set this machine's clock; use NTP")
    else:
        yield Finding("clock", text)


def _check_http(config: IngestConfig) -> Iterator[Finding]:
    url = config.listen.url
    try:
        answer = urllib3.request("GET", f"{url}/readyz", timeout=5, retries=False)
    except urllib3.exceptions.HTTPError:
        yield Finding("ingest", f"does not answer at {url}", "start it: footfall up, or its service")
        return
    if answer.status == 200:
        yield Finding("ingest", f"answers at {url} and can write to the journal")
    else:
        yield Finding("ingest", f"{url}/readyz answered {answer.status}: {answer.data.decode()[:300]}", "see its log")


def _check_influx(config: IngestConfig) -> Iterator[Finding]:
    if config.influx is None:
        return
    if goes_in_the_clear(config.influx.url):
        hint = "use https, or keep InfluxDB in a private network: others can read the token"
        yield Finding("InfluxDB", f"the token goes to {config.influx.url} unencrypted", hint)
    if (config.data / FILE_NAME).exists():
        lag = read_lag(config.data / FILE_NAME, int(time.time() * 1000))
        yield _write_a_point(config, config.influx, lag)
        yield from _judge(lag)


def _write_a_point(config: IngestConfig, influx: InfluxConfig, lag: ForwarderLag) -> Finding:
    """Write the point that the forwarder writes every minute: only a write shows that InfluxDB accepts writes."""
    from footfall.store.influx_writer import InfluxWriter
    from footfall.store.outbox import Outbox
    from footfall.store.points import forwarder_point

    try:
        with closing(Outbox(config.data / FILE_NAME)) as outbox, closing(InfluxWriter(influx)) as writer:
            writer.write([forwarder_point(outbox.ingest_id(), lag.waiting, lag.lag_s, lag.quarantined, time.time_ns())])
    except FootfallError as exc:
        return Finding("InfluxDB", exc.message, exc.hint or "see docs/operate.md, Forwarding")
    return Finding("InfluxDB", f"{influx.url}, {influx.influx_bucket} accepts points")


def _judge(lag: ForwarderLag) -> Iterator[Finding]:
    progress = lag.progress
    backlog = f"backlog of {plural(lag.waiting, 'row')}"
    if progress.failing_epoch_ms is not None:
        since = f"{from_epoch_ms(progress.failing_epoch_ms):%Y-%m-%d %H:%M} UTC"
        hint = progress.hint or "see docs/operate.md, Forwarding"
        yield Finding("forwarder", f"{backlog}, failing since {since}: {progress.error}", hint)
    elif lag.lag_s > LATE_S:
        text = f"{backlog}, the oldest {plural(lag.lag_s // 60, 'minute')} old"
        yield Finding("forwarder", text, "check that ingest runs; its log shows whether the forwarder catches up")
    else:
        yield Finding("forwarder", f"{plural(progress.written, 'point')} written, {backlog}")
    if lag.quarantined:
        yield Finding(
            "quarantine",
            f"InfluxDB refused {plural(lag.quarantined, 'point')}",
            "see them: footfall quarantine; after correcting the cause: footfall quarantine --resend",
        )


def _check_counters(config: IngestConfig, exporter_reads: InfluxConfig | None) -> Iterator[Finding]:
    registry, now_utc = config.registry, datetime.now(UTC)
    if not registry.counters:
        yield Finding("counters", "none are registered", "footfall counter add ID --name N --location L")
        return
    is_here = has_journal(config.data / FILE_NAME)
    if not is_here and exporter_reads is None:
        return  # _check_journal has reported it
    states = open_reader(config.data, None if is_here else exporter_reads).counter_states(sorted(registry.counters))
    for _, counter in sorted(registry.counters.items()):
        if counter.until is None or (counter.until >= now_utc.date() and counter.id in registry.keys):
            yield _judge_counter(config, states[counter.id], now_utc)  # not one that was removed, today or before


def _judge_counter(config: IngestConfig, state: CounterState, now_utc: datetime) -> Finding:
    subject = f"counter {state.counter}"
    if not config.registry.keys.get(state.counter):
        return Finding(subject, "has no key, so it is refused", f"footfall counter rotate-key {state.counter}")
    if state.received_epoch_ms is None:
        hint = "check its power, its Wi-Fi, and the server address and key set on it"
        return Finding(subject, "has never sent a batch", hint)
    if state.is_silent(epoch_ms(now_utc), config.silent_after_s):
        last = from_epoch_ms(state.received_epoch_ms).astimezone(config.registry.site_of(state.counter).tz)
        return Finding(
            subject, f"is silent since {last:%Y-%m-%d %H:%M}", "check its power and Wi-Fi; it keeps counting"
        )
    lost = f"; {plural(state.lost, 'crossing')} lost so far" if state.lost else ""
    twice = f"; {plural(state.conflicts, 'conflict')}: do two devices use this id?" if state.conflicts else ""
    return Finding(subject, f"is counting{lost}{twice}")
