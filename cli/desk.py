"""Answers for the exporter on ingest's pages: what was delivered, what is owed, and a look at a file."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from exporter.delivery_job import DeliveryJob, read_export
from exporter.due_days import Owed, Why
from exporter.exporter_settings import ExporterConfig, FolderSettings, load_exporter_config
from exporter.profile import Profile
from footfall import keys
from footfall.environment import Environment
from footfall.reloading import Reloading
from footfall.settings import read_config
from footfall.store.ledger import FILE_NAME as LEDGER
from footfall.store.ledger import Ledger, Standing
from footfall.store.reader import open_reader
from ingest.pages.desk import ClientFile, DayDelivery, Outcome, Reason

_REASONS = {
    Why.NOW: Reason.NEXT_LOOK,
    Why.CHANGED: Reason.CHANGED,
    Why.LATE: Reason.LATE,
    Why.LESS: Reason.LESS,
    Why.LATER: Reason.RETRIED,
    Why.PERSON: Reason.WAITS,
}


class ExporterDesk:
    """Reads what the exporter would: its configuration as of now, the store, and the ledger. It never delivers."""

    def __init__(self, config: ExporterConfig, environment: Environment) -> None:
        """Answer for the exporter that *config* describes, following its file as it changes."""
        paths = (config.path, config.data / keys.FILE_NAME)
        self._config = Reloading(paths, lambda: _load(config.path, environment), config, time.monotonic)
        self._ledger_path = config.data / LEDGER
        self._ledger: Ledger | None = None
        self._reader = open_reader(config.data, config.read_influx)
        self._lock = threading.Lock()

    def has_ledger(self) -> bool:
        """See Desk."""
        return self._ledger_path.exists()

    def profiles(self, site: str) -> Mapping[str, str]:
        """See Desk."""
        config = self._config()
        found = [profile for _, profile in sorted(config.profiles.items()) if profile.site.id == site]
        return {profile.name: _place(config, profile) for profile in found}

    def days(self, profile: str, days: Sequence[date]) -> Sequence[DayDelivery]:
        """See Desk."""
        config = self._config()
        chosen = config.profiles[profile]
        with self._lock:
            ledger = self._open_ledger()
            owed = {one.day: one for one in self._job(ledger, chosen).owed()}
            standings = ledger.standings(profile)
        return [_day_delivery(day, owed.get(day), standings.get(day, Standing())) for day in days]

    def file(self, profile: str, day: date) -> ClientFile:
        """See Desk."""
        config = self._config()
        chosen = config.profiles[profile]
        export = read_export(self._reader, chosen, day)
        return ClientFile(export.file_name, export.content, chosen.encoding, export.rows, export.gaps)

    def _open_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self._ledger_path)
        return self._ledger

    def _job(self, ledger: Ledger, profile: Profile) -> DeliveryJob:
        return DeliveryJob(
            profiles={profile.name: profile},
            destinations={},
            reader=self._reader,
            ledger=ledger,
            clock=lambda: datetime.now(UTC),
            chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        )


def open_desk(path: Path) -> ExporterDesk:
    """Return the desk of the exporter that the footfall.toml at *path* describes. Raises ConfigError."""
    environment = Environment()
    return ExporterDesk(_load(path, environment), environment)


def _load(path: Path, environment: Environment) -> ExporterConfig:
    config = read_config(path)
    loaded = load_exporter_config(config, environment)
    config.finish()
    return loaded


def _place(config: ExporterConfig, profile: Profile) -> str:
    """Return where the files of *profile* go, in words; empty: nowhere."""
    settings = config.destinations.get(profile.destination or "")
    if settings is None:
        return ""
    return str(settings.folder) if isinstance(settings, FolderSettings) else settings.host


def _day_delivery(day: date, owed: Owed | None, standing: Standing) -> DayDelivery:
    told = standing.delivered_epoch_ms, standing.attempts
    if owed is not None:
        outcome = Outcome.FAILED if owed.why is Why.PERSON else Outcome.OWED
        return DayDelivery(day, outcome, _REASONS[owed.why], owed.detail, *told)
    outcome = Outcome.AHEAD if standing.delivered_sha256 is None else Outcome.DELIVERED
    return DayDelivery(day, outcome, None, "", *told)
