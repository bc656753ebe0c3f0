"""``footfall doctor``: looks at everything that can be wrong, and says what to do about it."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import urllib3

from exporter.assembly import open_destination, open_job, open_ledger
from exporter.exporter_settings import ExporterConfig, load_exporter_config
from exporter.standing import IN_WORDS, explain
from footfall.console import open_config
from footfall.errors import FootfallError
from footfall.model import epoch_ms, from_epoch_ms
from footfall.store import Reader
from footfall.store.journal import FILE_NAME
from footfall.store.journal_check import check_journal
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger_schema import State
from footfall.store.readers import open_reader
from ingest.forwarder_check import check_forwarding
from ingest.ingest_settings import IngestConfig, load_ingest_config
from simulator.simulate_command import base_url

LEAST_FREE_BYTES = 500 * 1024 * 1024
_SCHEMA = re.compile(r"schema (?P<is>\d+), this Footfall knows (?P<known>\d+)")  # in the words of check_journal


@dataclass(frozen=True)
class Finding:
    """What was looked at and found. ``hint`` is empty where all is well."""

    subject: str
    text: str
    hint: str = ""


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Also read the whole journal and compare its sums with its crossings.")
@click.pass_context
def doctor_command(ctx: click.Context, deep: bool) -> None:
    """Look at everything that can be wrong, and say what to do. The exit status is 1 when something is."""
    config, environment = open_config(ctx)
    ingest = load_ingest_config(config, environment)
    exporter = load_exporter_config(config, environment)
    config.finish()
    _show(Finding("configuration", f"{config.path}: {len(ingest.registry.sites)} sites, "
                  f"{len(ingest.registry.counters)} counters, {len(exporter.profiles)} profiles"))  # fmt: skip
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _check_disk(ingest),
        lambda: _check_store(ingest, deep, exporter.read_influx is not None),
        lambda: _check_reading(exporter),
        lambda: _check_clock(ingest),
        lambda: _check_ingest(ingest, exporter.read_influx is not None),
        lambda: (Finding(*found) for found in check_forwarding(ingest)),
        lambda: _check_counters(ingest, exporter),
        lambda: _check_destinations(exporter),
        lambda: _check_owed(exporter),
    )
    wrong = 0
    for check in checks:
        try:
            for finding in check():
                _show(finding)
                wrong += bool(finding.hint)
        except FootfallError as exc:
            _show(Finding("", exc.message, exc.hint or "see docs/operations.md"))
            wrong += 1
    click.echo("all is well" if not wrong else f"{wrong} things need a person")
    ctx.exit(1 if wrong else 0)


def _show(finding: Finding) -> None:
    mark = click.style("!!", fg="red", bold=True) if finding.hint else click.style("ok", fg="green")
    subject = f"{finding.subject}: " if finding.subject else ""
    click.echo(f"{mark}  {subject}{finding.text}")
    if finding.hint:
        click.echo(f"    -> {finding.hint}")


def _check_disk(ingest: IngestConfig) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(ingest.data).free
    except OSError as exc:
        yield Finding("disk", f"{ingest.data}: {exc.strerror}", "make the folder: footfall init, or check `data`")
        return
    text = f"{free / 1e9:.1f} GB free for {ingest.data}"
    yield Finding("disk", text, "" if free > LEAST_FREE_BYTES else "free some space: a full disk stops counting")


def _check_store(ingest: IngestConfig, deep: bool, may_be_elsewhere: bool) -> Iterator[Finding]:
    path = ingest.data / FILE_NAME
    if not path.exists() and may_be_elsewhere:
        yield Finding("journal", f"there is none at {path}: ingest runs elsewhere")
        return
    if not path.exists():
        yield Finding("journal", f"there is none at {path} yet", "start ingest once: footfall up")
        return
    problems = check_journal(path, deep=deep)
    text = "; ".join(problems) or f"{path}, {_size(path) / 1e6:.1f} MB" + (", sums equal crossings" if deep else "")
    hint = "follow docs/operations.md, Restore from a backup"
    if schema := _SCHEMA.fullmatch(text):
        older = int(schema["is"]) < int(schema["known"])
        text = f"{path} was written by {'an older' if older else 'a newer'} Footfall: {text}"
        hint = (
            "start ingest once, it brings the journal up to date: footfall up"
            if older
            else "install that version again; an older one does not touch the journal"
        )
    yield Finding("journal", text, hint if problems else "")


def _check_reading(exporter: ExporterConfig) -> Iterator[Finding]:
    if (influx := exporter.read_influx) is not None:
        counted = open_reader(exporter.data, influx).covered_to(sorted(exporter.registry.counters))
        text = f"the exporter reads {influx.url}, {influx.influx_bucket}: {len(counted)} counters have counted"
        yield Finding("InfluxDB", text)


def _size(path: Path) -> int:
    """Return how many bytes the database at *path* takes, with what is on its way into it."""
    found = 0
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):  # gone when nobody has it open
            found += path.with_name(path.name + suffix).stat().st_size
    return found


def _is_readable(path: Path) -> bool:
    """Return whether there is a journal at *path* of this version; where not, _check_store has told."""
    return path.exists() and not check_journal(path, deep=False)


def _check_clock(ingest: IngestConfig) -> Iterator[Finding]:
    now_utc = datetime.now(UTC)
    path, ids = ingest.data / FILE_NAME, sorted(ingest.registry.counters)
    counter_states = JournalReader(path).counter_states(ids) if _is_readable(path) else {}
    latest_epoch_ms = max((one.received_epoch_ms or 0 for one in counter_states.values()), default=0)
    ahead = from_epoch_ms(latest_epoch_ms) - now_utc
    text = f"it is {now_utc:%Y-%m-%d %H:%M:%S} UTC here"
    if ahead > timedelta(seconds=ingest.clock_tolerance_s):
        yield Finding("clock", f"{text}, but a batch was received {ahead} later", "set this machine's clock; use NTP")
        return
    yield Finding("clock", text)


def _check_ingest(ingest: IngestConfig, may_be_elsewhere: bool) -> Iterator[Finding]:
    url = base_url(ingest)
    if may_be_elsewhere and not (ingest.data / FILE_NAME).exists():
        yield Finding("ingest", "runs elsewhere: its own doctor looks at it")
        return
    try:
        answer = urllib3.request("GET", f"{url}/readyz", timeout=5, retries=False)
    except urllib3.exceptions.HTTPError:
        yield Finding("ingest", f"does not answer at {url}", "start it: footfall up, or its service")
        return
    if answer.status == 200:
        yield Finding("ingest", f"answers at {url}, and a write to the journal succeeds")
    else:
        yield Finding("ingest", f"{url}/readyz answers {answer.status}: {answer.data.decode()[:300]}", "see its log")


def _check_counters(ingest: IngestConfig, exporter: ExporterConfig) -> Iterator[Finding]:
    registry = ingest.registry
    if not registry.counters:
        yield Finding("counters", "there are none", "footfall counter add ID --name N --location L")
        return
    reader: Reader = JournalReader(ingest.data / FILE_NAME)
    if not _is_readable(ingest.data / FILE_NAME):
        if exporter.read_influx is None:
            return
        reader = open_reader(exporter.data, exporter.read_influx)
    now_utc = datetime.now(UTC)
    counter_states = reader.counter_states(sorted(registry.counters))
    for _, counter in sorted(registry.counters.items()):
        if counter.until is not None and (counter.until < now_utc.date() or counter.id not in registry.keys):
            continue  # its days are over, or it was removed today
        seen = counter_states[counter.id]
        subject = f"counter {counter.id}"
        if not registry.keys.get(counter.id):
            yield Finding(subject, "has no key: it is refused", f"footfall counter rotate-key {counter.id}")
        elif seen.received_epoch_ms is None:
            yield Finding(subject, "was never heard of", "power, WiFi, the server's address and the key in the device")
        elif seen.is_silent(epoch_ms(now_utc), ingest.silent_after_s):
            last = from_epoch_ms(seen.received_epoch_ms).astimezone(registry.site_of(counter.id).tz)
            yield Finding(
                subject, f"is silent since {last:%Y-%m-%d %H:%M}", "check its power and WiFi; it keeps counting"
            )
        else:
            lost = f"; {seen.lost} crossings lost so far" if seen.lost else ""
            twice = f"; {seen.conflicts} in no sum so far: do two devices use this id?" if seen.conflicts else ""
            yield Finding(subject, f"is counting{lost}{twice}")


def _check_destinations(exporter: ExporterConfig) -> Iterator[Finding]:
    for name, settings in sorted(exporter.destinations.items()):
        try:
            yield Finding(f"destination {name}", open_destination(settings).check())
        except FootfallError as exc:
            yield Finding(f"destination {name}", exc.message, exc.hint)


def _check_owed(exporter: ExporterConfig) -> Iterator[Finding]:
    if exporter.read_influx is None and not _is_readable(exporter.data / FILE_NAME):
        return
    with contextlib.closing(open_ledger(exporter)) as ledger:
        days = open_job(exporter, ledger).owed()
    for owed in days:
        subject, text = f"{owed.profile}/{owed.day}", IN_WORDS[owed.state]
        details = explain(owed, exporter.profiles[owed.profile], datetime.now(UTC))
        if owed.state is State.BLOCKED:
            yield Finding(subject, text, details)
        elif owed.state is State.KEPT_BACK:
            yield Finding(subject, text, f"{details}; see docs/operations.md, What doctor finds")
        elif owed.state is State.RETRYING:
            yield Finding(subject, f"{text} {details}", "footfall deliveries")
