"""The daemon's job follows its files: footfall.toml, and the secrets that destinations log in with."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.delivery_job import DeliveryJob
from exporter.exporter_settings import SECRET_FILES
from exporter.reloading_job import reloading_job
from footfall.environment import Environment
from footfall.settings import read_config
from footfall.store.journal import Journal
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import FILE_NAME, Delivery, State
from harness.installation import Installation, install

DAY = date.today() - timedelta(days=3)  # noqa: DTZ011 - over in every zone
PROFILE = f"""
[profiles.alliance]
site = "alliance"
destination = "client"
deliver_from = {DAY}
[destinations.client]
host = "127.0.0.1"
user = "footfall"
"""


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """Return an installation whose destination has all three files."""
    installed = install(tmp_path / "site", profile=PROFILE + "".join(f'{one} = "{one}"\n' for one in SECRET_FILES))
    for one in SECRET_FILES:
        (installed.folder / one).write_text("wrong")
    Journal(installed.journal).close()
    return installed


@pytest.fixture
def job(here: Installation) -> Iterator[Callable[[], DeliveryJob]]:
    """The job, whose first day is blocked."""
    with reloading_job(read_config(here.folder / "footfall.toml"), Environment({})) as (job, _, _):
        delivery = Delivery("alliance", DAY, "client", "a.csv", 0, 0, False, "refused", "act", "", 0, 0, ())
        with closing(Ledger(here.data / FILE_NAME)) as ledger:
            ledger.record_start("alliance", DAY, 0)
            ledger.record_failed(delivery, 0, is_blocked=True)
        assert is_blocked(job)
        yield job


def is_blocked(job: Callable[[], DeliveryJob]) -> bool:
    """Return whether the first day is blocked, as the job sees it once it has looked at its files again."""
    time.sleep(1.1)
    return job().owed()[0].state is State.BLOCKED


@pytest.mark.parametrize("name", SECRET_FILES)
def test_corrected_secret_releases_blocked_days(here: Installation, job: Callable[[], DeliveryJob], name: str) -> None:
    (here.folder / name).write_text("corrected")
    assert not is_blocked(job)


def test_secret_that_is_named_before_it_exists_is_watched(
    here: Installation, job: Callable[[], DeliveryJob], caplog: pytest.LogCaptureFixture
) -> None:
    config = here.folder / "footfall.toml"
    with caplog.at_level(logging.ERROR):
        config.write_text(config.read_text().replace('"password_file"', '"other"'))
        assert is_blocked(job)
    assert "other cannot be read" in caplog.text
    (here.folder / "other").write_text("right")
    assert not is_blocked(job)
