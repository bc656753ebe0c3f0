"""The exporter's daemon: looks every so often for what is owed. `schedule` is only the ticker; the ledger decides."""

import logging
import threading
from collections.abc import Callable

import schedule

from exporter.job import DeliveryJob
from footfall.errors import StoreUnavailable

log = logging.getLogger(__name__)


def run(job: Callable[[], DeliveryJob], look_every_s: int, stop: threading.Event) -> None:
    """Deliver what is owed now, and look again every *look_every_s*, until *stop* is set. *job* returns it as of now."""
    ticker = schedule.Scheduler()
    ticker.every(look_every_s).seconds.do(look, job, stop)
    ticker.run_all()
    while not stop.wait(max(0.0, min(ticker.idle_seconds or 0.0, look_every_s))):
        ticker.run_pending()


def look(job: Callable[[], DeliveryJob], stop: threading.Event) -> None:
    """Deliver, one by one, all that is owed now. Nothing that goes wrong ends the daemon; everything is logged."""
    try:
        while not stop.is_set() and job().step():
            pass
    except StoreUnavailable as exc:
        log.warning("looked for what is owed, and could not; tried again: %s; %s", exc.message, exc.hint)
    except Exception:
        log.exception("looking for what is owed failed for a reason nobody foresaw; please report it; tried again")
