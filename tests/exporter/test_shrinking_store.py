"""If the store loses data between two reads, the client keeps its file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from exporter.export_command import deliver_owed
from exporter.standing import REDELIVERY_PAUSE_S
from footfall.model import Quarter
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from tests.support.exporter_rig import ExporterRig, file_of, rig

DAY = date(2026, 5, 4)
NAME = file_of("2026-05-04")
PEOPLE = 4218


class ShrinkingReader(JournalReader):
    """Reads the journal at *path* for the first *whole_reads* questions about counts, and an empty one afterwards."""

    def __init__(self, path: Path, empty: Path, whole_reads: int) -> None:
        super().__init__(path)
        self._empty = JournalReader(empty)
        self._whole_reads = whole_reads

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader."""
        self._whole_reads -= 1
        if self._whole_reads < 0:
            return self._empty.quarters(counters, start_utc, end_utc)
        return super().quarters(counters, start_utc, end_utc)

    def close(self) -> None:
        """Close both."""
        self._empty.close()
        super().close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ExporterRig]:
    """Yield a rig whose day of thousands of entries was delivered and has changed since."""
    Journal(tmp_path / "empty.sqlite").close()
    with rig(tmp_path) as opened:
        opened.cover("2026-05-04", "2026-05-04")
        opened.enter("2026-05-04", "10:10", PEOPLE - 1)
        opened.at("2026-05-04", "20:00")
        assert opened.steps() == 1
        opened.enter("2026-05-04", "11:10", 1)
        opened.wait(seconds=REDELIVERY_PAUSE_S)
        yield opened


def step(here: ExporterRig) -> None:
    here.job().step()


def export_deliver(here: ExporterRig) -> None:
    deliver_owed(here.job(), here.ledger, None)


def entries(here: ExporterRig) -> int:
    rows = (here.client.folder / NAME).read_text().splitlines()
    return sum(int(row.split(",")[2]) for row in rows)


@pytest.mark.parametrize("act", [step, export_deliver])
@pytest.mark.parametrize("whole_reads", [0, 1, 2])
@pytest.mark.parametrize("is_retry", [False, True])
def test_store_that_shrinks_during_a_look_never_replaces_a_file_by_zeros(
    here: ExporterRig, act: Callable[[ExporterRig], None], whole_reads: int, is_retry: bool
) -> None:
    """The bytes that are sent must be the bytes that were checked."""
    if is_retry:
        here.client.fault = "transient"
        here.steps()
        here.client.fault = "none"
        here.wait(minutes=5)
    with closing(here.reader):
        whole, here.reader = here.reader, ShrinkingReader(
            here.journal.path, here.folder / "empty.sqlite", whole_reads
        )  # fmt: skip
        act(here)
    assert entries(here) in (PEOPLE - 1, PEOPLE)
    here.reader.close()
    here.reader = whole
    here.wait(minutes=5)
    here.steps()
    assert entries(here) == PEOPLE


def test_delivery_by_hand_sends_what_the_store_has_now(here: ExporterRig) -> None:
    with closing(here.reader):
        here.reader = ShrinkingReader(here.journal.path, here.folder / "empty.sqlite", 0)
        here.job().deliver(here.profiles["alliance"], DAY)
    assert entries(here) == 0
