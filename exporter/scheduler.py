"""The exporter's daemon: looks every so often for what is owed. `schedule` is only the ticker; the ledger decides."""

import logging
import threading
from collections.abc import Callable

import schedule

from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter
from footfall.errors import StoreUnavailable

log = logging.getLogger(__name__)

TELL_EVERY_S = 60


def run(
    job: Callable[[], DeliveryJob], look_every_s: int, stop: threading.Event, reporter: DeliveryReporter | None = None
) -> None:
    """Deliver what is owed now, and look again every *look_every_s*, until *stop* is set.

    *reporter*, where there is one, tells of it as often, once a minute at least.

    *job* returns the job as of now. `schedule` counts in local wall-clock time: where that clock was set back, its
    next run would be an hour away, so it is told anew.
    """
    if reporter is not None:
        reporter.tell_again()
    ticker = schedule.Scheduler()
    while not stop.is_set():
        idle_s = ticker.idle_seconds
        if idle_s is None or idle_s > look_every_s:
            ticker.clear()
            ticker.every(look_every_s).seconds.do(look, job, stop)
            if reporter is not None:
                ticker.every(min(look_every_s, TELL_EVERY_S)).seconds.do(tell, job, reporter)
            ticker.run_all()
        ticker.run_pending()
        stop.wait(min(max(ticker.idle_seconds or 0.0, 0.1), look_every_s))


def look(job: Callable[[], DeliveryJob], stop: threading.Event) -> None:
    """Deliver, one by one, all that is owed now. Nothing that goes wrong ends the daemon; everything is logged."""

    def deliver() -> None:
        while not stop.is_set() and job().step():
            pass

    _survive(deliver, "looking for what is owed")


def tell(job: Callable[[], DeliveryJob], reporter: DeliveryReporter) -> None:
    """Tell what was delivered and what is owed. Nothing that goes wrong ends the daemon; everything is logged."""

    def report() -> None:
        now = job()
        reporter.look(now.report, now.profiles)

    _survive(report, "telling of deliveries")


def _survive(action: Callable[[], None], what: str) -> None:
    try:
        action()
    except StoreUnavailable as exc:
        log.warning("%s failed; tried again: %s; %s", what, exc.message, exc.hint)
    except Exception:
        log.exception("%s failed for a reason nobody foresaw; please report it; tried again", what)
