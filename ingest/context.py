"""What the request handlers of ingest share: built once at start and attached to the app."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, current_app

from footfall.model import from_epoch_ms
from footfall.registry import Registry
from footfall.store.group_commit import GroupCommit
from footfall.store.ledger_reader import LedgerReader
from footfall.store.reader import Reader
from ingest.ingest_settings import IngestConfig
from ingest.metrics import Metrics

_KEY = "footfall"


@dataclass(frozen=True)
class Context:
    """``clock`` returns seconds since 1970 UTC; ``registry`` returns the current sites and counters.

    ``ledger`` reads what the exporter recorded, if it has run here.
    """

    config: IngestConfig
    registry: Callable[[], Registry]
    commit: GroupCommit
    reader: Reader
    metrics: Metrics
    clock: Callable[[], float]
    ledger: LedgerReader

    def now_epoch_ms(self) -> int:
        """Return the current time in milliseconds since 1970 UTC."""
        return int(self.clock() * 1000)

    def now_utc(self) -> datetime:
        """Return the current time as an aware UTC datetime."""
        return from_epoch_ms(self.now_epoch_ms()).astimezone(UTC)


def attach(app: Flask, context: Context) -> None:
    """Attach *context* to *app*."""
    app.extensions[_KEY] = context


def context() -> Context:
    """Return the context of the app that is handling the current request."""
    found: Context = current_app.extensions[_KEY]
    return found
