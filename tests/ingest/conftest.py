"""The ingest app of each test: real, in this process, on a journal of its own. Whatever it logs can be printed."""

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
    """One that takes the rows of old devices."""
    with ingest_in_process(tmp_path / "footfall", more=LEGACY) as found:
        yield found
        assert found.log.unprintable() == []
