"""``make demo-live``: the pages to look at, with weeks behind them and people who walk in real time, until Ctrl-C.

footfall ingest  <-- footfall simulate --catch-up     some weeks, in seconds
footfall up      <-- footfall simulate --live         today so far, then one crossing every few seconds
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

from demo.setting import (
    DOORS,
    NAME,
    SITE,
    ZONE,
    command,
    console,
    edit,
    footfall,
    free_port,
    fresh_folder,
    say,
    set_up_site,
    show_command,
    wait_ready,
)

FOLDER = Path("demo-live-data")
OPEN_HOURS = range(8, 18)
"""Outside them the site is open round the clock: somebody who looks at night sees people too."""

PEOPLE_AN_HOUR = 220
CAPACITY = 320
SEED = "7"
PORT = 8080
END_WITHIN_S = 15.0


@click.command()
@click.option("--days", type=click.IntRange(0, 366), default=35, show_default=True, help="How much history there is.")
def main(days: int) -> None:
    """Show the pages with simulated people, until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    now_local = datetime.now(UTC).astimezone(ZONE)
    hours = 11 if now_local.hour in OPEN_HOURS else 24
    people = str(PEOPLE_AN_HOUR * hours)
    port = free_port(PORT)
    url = f"http://127.0.0.1:{port}"

    say(f"1. Set up a site with {len(DOORS)} counters, and {days} days of people who came before")
    fresh_folder(FOLDER)
    set_up_site(FOLDER)
    _configure(port, now_local.date() - timedelta(days=days), is_always_open=hours == 24)
    with _running("ingest", url):
        footfall(FOLDER, "simulate", "--catch-up", str(days), "--people", people, "--seed", SEED, "--network", "good")
    if stop.is_set():
        return
    say("2. Run all of Footfall, and let people walk in real time")
    with _running("up", url) as up:
        _tell(url)
        while not stop.is_set() and up.poll() is None:
            _walk_today(people, stop)
    if up.returncode:
        console.print(f"[red]footfall up ended with status {up.returncode}; see {FOLDER / 'up.log'}[/red]")
        sys.exit(1)
    console.print("\nEverything has ended. The data is still in " + str(FOLDER))


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
    """Run `footfall SERVICE` while the block runs, its log in the folder."""
    show_command(service, end=" &")
    path = FOLDER / f"{service}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command(service), cwd=FOLDER, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_ready(url, process, path)
            yield process
        finally:
            _end(process)


def _walk_today(people: str, stop: threading.Event) -> None:
    """Let people walk until *stop*, or until everybody has left for today; then wait for tomorrow."""
    today = datetime.now(UTC).astimezone(ZONE).date()
    arguments = ("simulate", "--live", "--catch-up", "0", "--people", people, "--seed", SEED, "--network", "good")
    with (FOLDER / "simulate.log").open("ab") as log:
        process = subprocess.Popen(command(*arguments), cwd=FOLDER, stdout=log, stderr=log, start_new_session=True)
        try:
            while process.poll() is None and not stop.wait(0.2):
                pass
            if process.poll():
                console.print(f"[red]nobody walks any more; see {FOLDER / 'simulate.log'}[/red]")
        finally:
            _end(process)
    while not stop.wait(1) and datetime.now(UTC).astimezone(ZONE).date() == today:
        pass


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt *process*, as Ctrl-C would, and wait for its end."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tell(url: str) -> None:
    say(f"{NAME} is open. People walk through its doors now:")
    for path, what in (
        ("/", "people inside now"),
        (f"/sites/{SITE}/history?period=month", "history"),
        (f"/sites/{SITE}/counters", "the counters"),
        (f"/sites/{SITE}/deliveries", "what the client got"),
        ("/display", "the screen at the entrance"),
    ):
        console.print(f"   {url + path:<66} {what}")
    console.print("\nCtrl-C ends it.")


if __name__ == "__main__":
    main()
