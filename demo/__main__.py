"""``make demo``: one day from the doors to the client's file, with real processes.

    simulated people --signed HTTP--> ingest --> journal --> footfall export --SFTP--> a client's server
         `-- truth.csv --------------------- compared byte for byte --------------------------'

The exit status is 0 only if the delivered file is exactly right.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import urllib3
from rich.bar import Bar
from rich.table import Table

from demo.client_server import INBOX, USER, create_account
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
from demo.expected_file import expected_file
from harness.installation import command, free_port, wait_ready

FOLDER = Path("demo-data")
CLIENT = FOLDER / "client"
PEOPLE = "400"


def main() -> int:
    """Run the demo, and return its exit status."""
    day = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=1)
    create_folder(FOLDER)
    port, client_port = free_port(), free_port()

    heading("1. Set up a site with two counters, and a client with an SFTP server")
    set_up_site(FOLDER)
    CLIENT.mkdir()
    (FOLDER / "data").mkdir(exist_ok=True)
    host_key = create_account(CLIENT, FOLDER / "data" / "id_ed25519")
    _configure(port, client_port, host_key, day)
    with _client_server(client_port):
        heading(f"2. Start ingest, and simulate {PEOPLE} visitors on {day} over an unreliable network")
        with _ingest(port):
            footfall(FOLDER, "simulate", "--day", str(day), "--people", PEOPLE, "--truth", "truth.csv")
            heading("3. Deliver the day's file to the client")
            footfall(FOLDER, "export", "--day", str(day), "--deliver")
            footfall(FOLDER, "deliveries")
            heading("4. Occupancy during the day, from the API")
            _draw_occupancy(port, day)
    return _compare(day)


def _configure(port: int, client_port: int, host_key: str, day: date) -> None:
    settings = {
        "# listen =": f'listen = "127.0.0.1:{port}"',
        "# destination =": 'destination = "client"',
        "deliver_from =": f"deliver_from = {day}",
    }
    destination = f"""
[destinations.client]
host = "127.0.0.1"
port = {client_port}
user = "{USER}"
key_file = "data/id_ed25519"
host_key = "{host_key}"
"""
    edit(FOLDER / "footfall.toml", settings, destination)


@contextlib.contextmanager
def _client_server(port: int) -> Iterator[None]:
    """Run the client's SFTP server. It accepts connections when the block begins."""
    with _process([sys.executable, "-m", "demo.client_server", str(CLIENT), str(port)], Path(), "client") as server:
        while not _accepts_connections(port):
            if server.poll() is not None:
                raise SystemExit(f"the SFTP server did not start; see {FOLDER / 'client.log'}")
            time.sleep(0.05)
        yield


def _accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _ingest(port: int) -> Iterator[None]:
    """Run `footfall ingest`. It is ready when the block begins."""
    print_command("ingest", end=" &")
    with _process(command("ingest"), FOLDER, "ingest") as ingest:
        if not wait_ready(f"http://127.0.0.1:{port}", ingest):
            raise SystemExit(f"ingest did not start; see {FOLDER / 'ingest.log'}")
        yield


@contextlib.contextmanager
def _process(arguments: list[str], folder: Path, name: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process in *folder* while the block runs. Its log is demo-data/NAME.log."""
    with (FOLDER / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _draw_occupancy(port: int, day: date) -> None:
    url = f"http://127.0.0.1:{port}/api/v1/sites/{SITE}/buckets?day={day}"
    console.print(f"[bold]$ curl '{url}'[/bold]")
    buckets = json.loads(urllib3.request("GET", url).data)["buckets"]
    shown = [bucket for bucket in buckets if bucket["occupancy"] or bucket["entries"] or bucket["exits"]]
    most = max((bucket["occupancy"] for bucket in shown), default=1) or 1
    table = Table("until", "in", "out", "inside", "", box=None, padding=(0, 1))
    for bucket in shown:
        inside = bucket["occupancy"]
        bar = Bar(most, 0, inside, width=50, color="cyan")
        table.add_row(bucket["end"][11:16], str(bucket["entries"]), str(bucket["exits"]), str(inside), bar)
    console.print(table)


def _compare(day: date) -> int:
    """Show the delivered file, and return 0 if it equals the file computed from the simulated people."""
    path = CLIENT / INBOX / f"{day:%d_%m_%Y}_counterdata-1.csv"
    heading(f"5. The file the client received: {path}")
    delivered = path.read_bytes() if path.exists() else b""
    lines = delivered.decode("utf-8").splitlines()
    for line in [*lines[:6], f"... {len(lines) - 9} more rows ...", *lines[-3:]] if len(lines) > 12 else lines:
        console.print("   " + line, markup=False)
    expected = expected_file(FOLDER / "truth.csv", day, ZONE, DOORS, NAME, SITE[:4].upper())
    if delivered != expected or not delivered:
        (FOLDER / "expected.csv").write_bytes(expected)
        console.print("[bold red]The delivered file is WRONG.[/bold red]")
        console.print(f"Compare {path} with {FOLDER / 'expected.csv'}.")
        return 1
    entries = sum(int(line.split(",")[2]) for line in lines)
    exits = sum(int(line.split(",")[3]) for line in lines)
    console.print(
        "[bold green]Identical, byte for byte, to the file computed from the simulated people:[/bold green] "
        f"{len(lines)} rows, {entries} entries and {exits} exits in opening hours. Nothing lost, doubled or invented."
    )
    heading("Next steps")
    for what, description in (
        ("make demo-live", "the web pages, with visitors in real time"),
        (f"{FOLDER}/footfall.toml", "a complete configuration"),
        (f"{FOLDER}/data", "the journal, the ledger and the keys"),
        ("docs/", "how to install and operate Footfall"),
    ):
        console.print(f"   {what:<26} {description}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
