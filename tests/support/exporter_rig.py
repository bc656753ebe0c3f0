"""An exporter at work: a real journal and ledger, destinations that can fail, and a clock that tests set."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from exporter.delivery_job import DeliveryJob
from footfall.calendar import day_bounds, local_instant
from footfall.model import Arrival, Count, Span, epoch_ms
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger import Ledger
from tests.support.destinations import FaultyDestination
from tests.support.profiles import TWO_COUNTERS, read_exporter, site_table

DESTINATIONS = "".join(f'[destinations.{name}]\nkind = "folder"\nfolder = "{name}"\n' for name in ("client", "mirror"))


def profile_table(name: str = "alliance", *settings: str, to: str = "client", since: str = "2026-05-04") -> str:
    """Return the table of a profile that is delivered to *to* from the day *since*."""
    head = f'[profiles.{name}]\nsite = "alliance"\ndestination = "{to}"\ndeliver_from = {since}\n'
    return head + "".join(f"{line}\n" for line in settings)


class ExporterRig:
    """Everything a DeliveryJob works with. ``client`` and ``mirror`` are where files go; ``now_utc`` is the time."""

    def __init__(self, folder: Path, profiles: str, counters: str) -> None:
        self.folder = folder
        self.profiles = read_exporter(site_table() + counters + profiles + DESTINATIONS).profiles
        self.tz = next(iter(self.profiles.values())).site.tz
        self.client, self.mirror = (FaultyDestination(name, folder / name) for name in ("client", "mirror"))
        self.client.folder.mkdir()
        self.mirror.folder.mkdir()
        self.journal = Journal(folder / "journal.sqlite")
        self.reader = JournalReader(self.journal.path)
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.now_utc = datetime(2026, 5, 4, tzinfo=UTC)
        self._seq = 0

    def job(self, seed: int = 1) -> DeliveryJob:
        """Return a new job over the same ledger, as after a restart."""
        destinations = {"client": self.client, "mirror": self.mirror}
        chance = random.Random(seed)
        return DeliveryJob(self.profiles, destinations, self.reader, self.ledger, lambda: self.now_utc, chance)

    def at(self, day: str, clock: str) -> None:
        """Set the time to *clock*, on *day*, at the site."""
        self.now_utc = self.instant(day, clock)

    def instant(self, day: str, clock: str) -> datetime:
        """Return the instant a clock at the site shows *clock* on *day*, UTC."""
        return local_instant(date.fromisoformat(day), int(clock[:2]) * 60 + int(clock[3:]), self.tz)

    def wait(self, **length: float) -> None:
        """Let time pass: seconds=, hours= ..."""
        self.now_utc += timedelta(**length)

    def cover(self, first: str, last: str, *counters: str) -> None:
        """Report that *counters*, or both, counted from the start of the day *first* to the end of *last*."""
        start_utc = day_bounds(date.fromisoformat(first), self.tz)[0]
        self.cover_until(first, day_bounds(date.fromisoformat(last), self.tz)[1] - start_utc, *counters)

    def cover_until(self, first: str, length: timedelta, *counters: str) -> None:
        """Report that *counters*, or both, counted for *length* from the start of the day *first*."""
        self.cover_between(first, timedelta(0), length, *counters)

    def cover_between(self, day: str, start: timedelta, end: timedelta, *counters: str) -> None:
        """Report that *counters*, or both, counted from *start* to *end*, both after the start of *day*."""
        start_utc = day_bounds(date.fromisoformat(day), self.tz)[0]
        span = Span(epoch_ms(start_utc + start), epoch_ms(start_utc + end))
        for counter in counters or ("ALLI1", "ALLI2"):
            self.journal.append([Arrival(counter, "s", (), span, epoch_ms(self.now_utc))])

    def enter(self, day: str, clock: str, people: int = 1, counter: str = "ALLI1") -> None:
        """Let *people* enter at *counter* at *clock*; the batch arrives now."""
        count = Count(self._seq, epoch_ms(self.instant(day, clock)), people, 0)
        self._seq += 1
        self.journal.append([Arrival(counter, "s", (count,), None, epoch_ms(self.now_utc))])

    def steps(self, job: DeliveryJob | None = None) -> int:
        """Step until nothing is left to do, and return how many steps found something."""
        job = job or self.job()
        for number in range(1000):
            if not job.step():
                return number
        raise AssertionError("it never comes to an end")

    def states(self) -> dict[str, str]:
        """Return the state of each (profile, day) owed, as {"alliance/2026-05-04": "DUE"}."""
        return {f"{owed.profile}/{owed.day}": owed.state.name for owed in self.job().owed()}


@contextmanager
def rig(folder: Path, *profiles: str, counters: str = TWO_COUNTERS) -> Iterator[ExporterRig]:
    """Yield a rig in *folder* with *profiles*, or one that delivers to the client from 2026-05-04."""
    opened = ExporterRig(folder, "".join(profiles) or profile_table(), counters)
    try:
        yield opened
    finally:
        opened.reader.close()
        opened.journal.close()
        opened.ledger.close()


def file_of(day: str) -> str:
    """Return the name of the file of *day*."""
    return f"{date.fromisoformat(day):%d_%m_%Y}_counterdata-1.csv"
