"""``make demo-live``: the web pages, with weeks of history and visitors in real time, until Ctrl-C.

footfall ingest  <-- footfall simulate --catch-up     weeks of history, in seconds
footfall up      <-- footfall simulate --live         today so far, then a crossing every few seconds
"""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from demo.demo_site import (
    DOORS,
    NAME,
    SITE,
    ZONE,
    console,
    create_folder,
    edit,
    footfall,
    heading,
    print_command,
    set_up_site,
)
from harness.installation import command, free_port, is_free, wait_ready

FOLDER = Path("demo-live-data")
OPEN_HOURS = range(8, 18)
"""At other times the site is open around the clock, so that there are visitors to see."""

PEOPLE_PER_HOUR = 220
CAPACITY = 320
SEED = "7"
PORT = 8080
STOP_TIMEOUT_S = 15.0


@click.command()
@click.option("--days", type=click.IntRange(0, 366), default=35, show_default=True, help="Days of history.")
def main(days: int) -> None:
    """Serve the web pages with simulated visitors, until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    now_local = datetime.now(UTC).astimezone(ZONE)
    hours = 11 if now_local.hour in OPEN_HOURS else 24
    people = str(PEOPLE_PER_HOUR * hours)
    port = PORT if is_free(PORT) else free_port()
    url = f"http://127.0.0.1:{port}"

    heading(f"1. Set up a site with {len(DOORS)} counters and {days} days of history")
    create_folder(FOLDER)
    set_up_site(FOLDER)
    _configure(port, now_local.date() - timedelta(days=days), is_always_open=hours == 24)
    with _running("ingest", url):
        footfall(FOLDER, "simulate", "--catch-up", str(days), "--people", people, "--seed", SEED, "--network", "good")
    if stop.is_set():
        return
    heading("2. Run all services, with visitors in real time")
    with _running("up", url) as up:
        _print_pages(url)
        while not stop.is_set() and up.poll() is None:
            _simulate_today(people, stop)
    if up.returncode:
        console.print(f"[red]footfall up failed with exit status {up.returncode}; see {FOLDER / 'up.log'}[/red]")
        sys.exit(1)
    console.print(f"\nAll services have stopped. The data is in {FOLDER}.")


def _configure(port: int, first_day: date, *, is_always_open: bool) -> None:
    settings = {
        "# listen =": f'listen = "127.0.0.1:{port}"',
        "# capacity =": f"capacity = {CAPACITY}",
        "# destination =": 'destination = "client"',
        "deliver_from =": f"deliver_from = {first_day}",
    }
    if is_always_open:
        settings["hours ="] = 'hours = "00:00-24:00"'
    edit(FOLDER / "footfall.toml", settings, '\n[destinations.client]\nkind = "folder"\nfolder = "client"\n')
    (FOLDER / "client").mkdir()


@contextlib.contextmanager
def _running(service: str, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `footfall SERVICE` while the block runs. Its log is SERVICE.log."""
    print_command(service, end=" &")
    path = FOLDER / f"{service}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command(service), cwd=FOLDER, stdout=log, stderr=log, start_new_session=True)
        try:
            if not wait_ready(url, process):
                raise SystemExit(f"footfall {service} did not start; see {path}")
            yield process
        finally:
            _stop(process)


def _simulate_today(people: str, stop: threading.Event) -> None:
    """Simulate today's visitors until *stop*, or until the last has left; then wait for tomorrow."""
    today = datetime.now(UTC).astimezone(ZONE).date()
    arguments = ("simulate", "--live", "--catch-up", "0", "--people", people, "--seed", SEED, "--network", "good")
    path = FOLDER / "simulate.log"
    with path.open("ab") as log:
        process = subprocess.Popen(command(*arguments), cwd=FOLDER, stdout=log, stderr=log, start_new_session=True)
        try:
            while process.poll() is None and not stop.wait(0.2):
                pass
            if process.poll():
                console.print(f"[red]footfall simulate failed; see {path}[/red]")
        finally:
            _stop(process)
    while not stop.wait(1) and datetime.now(UTC).astimezone(ZONE).date() == today:
        pass


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt *process* as Ctrl-C would, and kill it if it does not exit in time."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _print_pages(url: str) -> None:
    heading(f"{NAME} is open, with visitors in real time:")
    for path, page in (
        ("/", "people inside now"),
        (f"/sites/{SITE}/history?period=month", "history"),
        (f"/sites/{SITE}/counters", "counters"),
        (f"/sites/{SITE}/deliveries", "deliveries to the client"),
        ("/display", "the screen at the entrance"),
    ):
        console.print(f"   {url + path:<66} {page}")
    console.print("\nPress Ctrl-C to stop.")


if __name__ == "__main__":
    main()
