"""The exporter's daemon: looks every so often for what is owed. `schedule` is only the ticker; the ledger decides."""

import logging
import threading
from collections.abc import Callable

import schedule

from exporter.job import DeliveryJob
from footfall.errors import StoreUnavailable

log = logging.getLogger(__name__)


def run(job: Callable[[], DeliveryJob], look_every_s: int, stop: threading.Event) -> None:
    """Deliver what is owed now, and look again every *look_every_s*, until *stop* is set.

    *job* returns the job as of now. `schedule` counts in local wall-clock time: where that clock was set back, its
    next run would be an hour away, so it is told anew.
    """
    ticker = schedule.Scheduler()
    while not stop.is_set():
        idle_s = ticker.idle_seconds
        if idle_s is None or idle_s > look_every_s:
            ticker.clear()
            ticker.every(look_every_s).seconds.do(look, job, stop)
            ticker.run_all()
        ticker.run_pending()
        stop.wait(min(max(ticker.idle_seconds or 0.0, 0.1), look_every_s))


def look(job: Callable[[], DeliveryJob], stop: threading.Event) -> None:
    """Deliver, one by one, all that is owed now. Nothing that goes wrong ends the daemon; everything is logged."""
    try:
        while not stop.is_set() and job().step():
            pass
    except StoreUnavailable as exc:
        log.warning("looked for what is owed, and could not; tried again: %s; %s", exc.message, exc.hint)
    except Exception:
        log.exception("looking for what is owed failed for a reason nobody foresaw; please report it; tried again")
