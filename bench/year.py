"""Exports of one day from a journal with a year of 100 counters, which is built once in bench/.cache."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from bench.report import BenchRow
from exporter.assembly import open_job, open_ledger
from exporter.exporter_settings import load_exporter_config
from footfall.calendar import day_bounds, local_instant
from footfall.environment import Environment
from footfall.model import Arrival, Count, Span, epoch_ms
from footfall.settings import read_config
from footfall.store.journal import FILE_NAME, Journal
from harness.installation import SITE, Installation, install

CACHE = Path(__file__).parent / ".cache"
COUNTERS = tuple(f"DOOR{number:02}" for number in range(100))
FIRST_DAY, DAYS = date(2025, 1, 1), 365
TZ = ZoneInfo("Europe/Paris")
PROFILES = """
[profiles.all]
site = "alliance"
[profiles.one]
site = "alliance"
counters = ["DOOR42"]
"""
_REPEATS = 5


def measure(say: Callable[[str], None], crossings: int) -> list[BenchRow]:
    """Return the rows of the table, for a journal of about *crossings* crossings."""
    site = site_with_a_year(say, crossings)
    config = read_config(site.folder / "footfall.toml")
    exporter = load_exporter_config(config, Environment({}))
    config.finish()
    job = open_job(exporter, open_ledger(exporter))
    size = (site.data / FILE_NAME).stat().st_size
    rows = [BenchRow("journal: a year of 100 counters", f"{crossings / 1e6:g} million crossings",
                f"{size / 1e6:,.0f} MB, {size / crossings:.0f} bytes a crossing")]  # fmt: skip
    for name, counters, target in (("one", "1 counter", ""), ("all", "100 counters", "< 1 s")):
        times_s = []
        for repeat in range(_REPEATS):
            day = FIRST_DAY + timedelta(days=60 * (repeat + 1))
            started_s = time.perf_counter()
            export = job.render(exporter.profile(name), day)
            times_s.append(time.perf_counter() - started_s)
        result = f"{median(times_s) * 1000:,.0f} ms"
        rows.append(BenchRow(f"export of one day, {counters}", result, f"{export.rows} rows", target))
    started_s = time.perf_counter()
    site.run("export", "--day", "2025-06-03", "--profile", "all", "--output", "-")
    taken_s = time.perf_counter() - started_s
    rows.append(BenchRow("`footfall export` of one day, 100 counters", f"{taken_s:.2f} s", "including start-up"))
    return rows


def site_with_a_year(say: Callable[[str], None], crossings: int) -> Installation:
    """Return the installation with the journal of a year, building it if needed."""
    folder = CACHE / f"year-{crossings}"
    if not (folder / "complete").exists():
        if folder.exists():
            raise SystemExit(f"{folder} is incomplete: delete it and run again")
        site = install(folder, COUNTERS, site=SITE, profile=PROFILES)
        _build(say, site, crossings)
        (folder / "complete").touch()
    return Installation(folder, 0)


def _build(say: Callable[[str], None], site: Installation, crossings: int) -> None:
    """Fill the journal of *site* with ingest's own code, one commit for each day."""
    journal = Journal(site.journal)
    chance = random.Random(2025)
    a_day = crossings // DAYS // len(COUNTERS)
    for number in range(DAYS):
        journal.append(list(_day(FIRST_DAY + timedelta(days=number), number * a_day, a_day, chance)))
        if number % 10 == 0:
            say(f"building a year of 100 counters: {number * 100 // DAYS} %")
    journal.close()


def _day(day: date, first_seq: int, number: int, chance: random.Random) -> Iterator[Arrival]:
    """Yield one batch from each counter: *number* crossings in opening hours, and a span of the whole *day*."""
    start_utc, end_utc = day_bounds(day, TZ)
    opens, closes = (epoch_ms(local_instant(day, hour * 60, TZ)) for hour in (8, 19))
    received_epoch_ms = epoch_ms(datetime(2026, 1, 1, tzinfo=UTC))
    for counter in COUNTERS:
        times = sorted(chance.randrange(opens, closes) for _ in range(number))
        counts = tuple(
            Count(first_seq + seq, at_epoch_ms, (seq + 1) % 2, seq % 2) for seq, at_epoch_ms in enumerate(times)
        )
        yield Arrival(counter, "bench", counts, Span(epoch_ms(start_utc), epoch_ms(end_utc)), received_epoch_ms)
