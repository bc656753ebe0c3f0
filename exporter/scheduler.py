"""The exporter's daemon: looks for owed days at an interval. `schedule` only ticks; the ledger decides."""

import logging
import threading
from collections.abc import Callable

import schedule

from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter
from footfall.errors import StoreUnavailable

log = logging.getLogger(__name__)

REPORT_EVERY_S = 60


def run(
    job: Callable[[], DeliveryJob], look_every_s: int, stop: threading.Event, reporter: DeliveryReporter | None = None
) -> None:
    """Deliver what is owed now, and look again every *look_every_s*, until *stop* is set.

    *job* returns the job as configured now. *reporter* reports as often, and at least once a minute.

    `schedule` counts in local wall-clock time. If that clock was set back, its next run would be up to an hour away,
    so this sets it up again.
    """
    if reporter is not None:
        reporter.report_all_again()
    ticker = schedule.Scheduler()
    while not stop.is_set():
        idle_s = ticker.idle_seconds
        if idle_s is None or idle_s > look_every_s:
            ticker.clear()
            ticker.every(look_every_s).seconds.do(look, job, stop)
            if reporter is not None:
                ticker.every(min(look_every_s, REPORT_EVERY_S)).seconds.do(report, job, reporter)
            ticker.run_all()
        ticker.run_pending()
        stop.wait(min(max(ticker.idle_seconds or 0.0, 0.1), look_every_s))


def look(job: Callable[[], DeliveryJob], stop: threading.Event) -> None:
    """Deliver every owed day, one by one. Errors are logged and never end the daemon."""

    def deliver() -> None:
        while not stop.is_set() and job().step():
            pass

    _survive(deliver, "looking for owed days")


def report(job: Callable[[], DeliveryJob], reporter: DeliveryReporter) -> None:
    """Report deliveries and owed days. Errors are logged and never end the daemon."""

    def report_now() -> None:
        now = job()
        reporter.report(now.look, now.profiles)

    _survive(report_now, "reporting deliveries")


def _survive(action: Callable[[], None], what: str) -> None:
    try:
        action()
    except StoreUnavailable as exc:
        log.warning("%s failed, will retry: %s; %s", what, exc.message, exc.hint)
    except Exception:
        log.exception("unexpected error while %s, will retry; please report it", what)
