"""The real ingest app of each test, in this process and on its own journal. Every log line must be printable."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ingest_app import LEGACY, Ingest, ingest_in_process


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    with ingest_in_process(tmp_path / "footfall") as found:
        yield found
        assert found.log.unprintable() == []


@pytest.fixture
def legacy_ingest(tmp_path: Path) -> Iterator[Ingest]:
    """An app that takes rows from old devices."""
    with ingest_in_process(tmp_path / "footfall", more=LEGACY) as found:
        yield found
        assert found.log.unprintable() == []
