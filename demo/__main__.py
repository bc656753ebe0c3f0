"""Walks through the main job, command by command, and ends with status 0 only if the delivered file is the truth.

people (simulated) --signed HTTP--> footfall ingest --> journal --> footfall export --SFTP--> a server in here
    `-- truth.csv ------------------------------------------------------ compared with ----------'
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncssh
import urllib3
from rich.bar import Bar
from rich.table import Table

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
from demo.truth import expected_file
from tests.support.sftp_server import SftpServer

FOLDER = Path("demo-data")
PEOPLE = "400"


def main() -> int:
    """Run the demo and return the exit status."""
    day = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=1)
    fresh_folder(FOLDER)
    client = FOLDER / "client"
    client.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    (FOLDER / "data").mkdir()
    key.write_private_key(str(FOLDER / "data" / "id_ed25519"))
    (FOLDER / "data" / "id_ed25519").chmod(0o600)
    port = free_port()

    say("1. Set up a site with two counters, and a client who takes its files by SFTP")
    set_up_site(FOLDER)
    with SftpServer(client, user="footfall", authorized_key=key.export_public_key().decode()) as server:
        _configure(port, server, day)
        say(f"2. Start ingest, and let {PEOPLE} people walk through the doors on {day}, over a network that fails")
        with _ingest(port):
            footfall(FOLDER, "simulate", "--day", str(day), "--people", PEOPLE, "--truth", "truth.csv")
            say("3. Deliver the day to the client's SFTP server")
            footfall(FOLDER, "export", "--day", str(day), "--deliver")
            footfall(FOLDER, "deliveries")
            say("4. Occupancy over the day, as the API tells it")
            _draw_occupancy(port, day)
    return _compare(client, day, port)


def _configure(port: int, server: SftpServer, day: date) -> None:
    settings = {
        "# listen =": f'listen = "127.0.0.1:{port}"',
        "# destination =": 'destination = "client"',
        "deliver_from =": f"deliver_from = {day}",
    }
    destination = f"""
[destinations.client]
host = "127.0.0.1"
port = {server.port}
user = "footfall"
key_file = "data/id_ed25519"
host_key = "{server.host_key_line}"
"""
    edit(FOLDER / "footfall.toml", settings, destination)


@contextlib.contextmanager
def _ingest(port: int) -> Iterator[None]:
    """Run `footfall ingest`, its log in demo-data/ingest.log."""
    show_command("ingest", end=" &")
    path = FOLDER / "ingest.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command("ingest"), cwd=FOLDER, stdout=log, stderr=log)
        try:
            wait_ready(f"http://127.0.0.1:{port}", process, path)
            yield
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


def _compare(client: Path, day: date, port: int) -> int:
    expected = expected_file(FOLDER / "truth.csv", day, ZONE, DOORS, NAME, SITE[:4].upper())
    path = client / f"{day:%d_%m_%Y}_counterdata-1.csv"
    say(f"5. What the client received: {path}")
    delivered = path.read_bytes() if path.exists() else b""
    lines = delivered.decode("utf-8").splitlines()
    for line in [*lines[:6], f"... {len(lines) - 9} more rows ...", *lines[-3:]] if len(lines) > 12 else lines:
        console.print("   " + line, markup=False)
    entries = sum(int(line.split(",")[2]) for line in lines)
    exits = sum(int(line.split(",")[3]) for line in lines)
    if delivered != expected or not delivered:
        console.print("[bold red]The delivered file is NOT what the simulated people did.[/bold red]")
        (FOLDER / "expected.csv").write_bytes(expected)
        console.print(f"Compare {path} with {FOLDER / 'expected.csv'}.")
        return 1
    console.print(
        f"[bold green]Equal, byte for byte, to what the simulated people did:[/bold green] {len(lines)} rows, "
        f"{entries} entries and {exits} exits in opening hours. Nothing lost, doubled or invented."
    )
    say("What next")
    console.print(
        "   make demo-live                                serves the pages, with people who walk in real time"
    )
    console.print(f"   {FOLDER}/footfall.toml is a whole configuration to read; {FOLDER}/data holds the journal.")
    console.print("   cd demo-data; ../.venv/bin/footfall up        runs it; then, in a second terminal:")
    console.print("   ../.venv/bin/footfall simulate --live         people walk in real time, in opening hours")
    console.print("   ../.venv/bin/footfall doctor                  looks at everything that can be wrong")
    console.print(f"   {f'http://127.0.0.1:{port}/':<46}shows it, while it runs")
    console.print("   docs/install.md                               installs it for real")
    return 0


if __name__ == "__main__":
    sys.exit(main())
