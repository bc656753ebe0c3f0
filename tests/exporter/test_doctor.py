"""`footfall doctor` on a journal of another version, and on the size of the journal."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.store.journal import Journal
from footfall.store.journal_schema import MIGRATIONS
from harness.installation import Installation, install


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    """Yield an installation whose journal stays open, and so has files beside it."""
    installed = install(tmp_path / "site")
    with closing(Journal(installed.journal)):
        yield installed


def printed(here: Installation) -> str:
    return here.run("doctor", check=False).stdout.decode()


@pytest.mark.parametrize(
    ("version", "age", "hint"),
    [
        (len(MIGRATIONS) + 1, "a newer", "install that version again; an older one does not touch the file"),
        (len(MIGRATIONS) - 1, "an older", "start this version once; it migrates the file: footfall up"),
    ],
)
def test_journal_of_another_version_is_reported_once_with_what_to_do(
    here: Installation, version: int, age: str, hint: str
) -> None:
    with closing(sqlite3.connect(here.journal)) as other:
        other.execute(f"PRAGMA user_version = {version}")
    found = printed(here)
    what = f"schema {version}, this Footfall knows {len(MIGRATIONS)}"
    assert f"!!  journal: {here.journal} was written by {age} Footfall: {what}\n    -> {hint}\n" in found
    assert found.count("schema") == 1
    assert "backup" not in found


def test_size_of_the_journal_counts_all_its_files(here: Installation) -> None:
    with here.journal.with_name("journal.sqlite-wal").open("ab") as file:
        file.write(bytes(3_000_000))  # no frames of a log: SQLite passes them over
    size = re.search(r"journal\.sqlite, ([\d.]+) MB", printed(here))
    assert size is not None
    assert 3.0 <= float(size[1]) < 3.5
