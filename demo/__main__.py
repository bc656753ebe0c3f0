"""Walks through the main job, command by command, and ends with status 0 only if the delivered file is the truth.

people (simulated) --signed HTTP--> footfall ingest --> journal --> footfall export --SFTP--> a server in here
    `-- truth.csv ------------------------------------------------------ compared with ----------'
"""

import contextlib
import json
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncssh
import urllib3
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from demo.truth import expected_file
from tests.support.sftp_server import SftpServer

FOLDER = Path("demo-data")
MARKER = "made-by-make-demo"
SITE, NAME, ZONE = "mediatheque", "Médiathèque", ZoneInfo("Europe/Paris")
DOORS = {"DOOR1": ("Main door", "Hall"), "DOOR2": ("Garden door", "Reading room")}
PEOPLE = "400"

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo and return the exit status."""
    day = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=1)
    _fresh_folder()
    client = FOLDER / "client"
    client.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    (FOLDER / "data").mkdir()
    key.write_private_key(str(FOLDER / "data" / "id_ed25519"))
    (FOLDER / "data" / "id_ed25519").chmod(0o600)
    port = _free_port()

    _say("1. Set up a site with two counters, and a client who takes its files by SFTP")
    footfall("init", "--site", SITE, "--name", NAME, "--timezone", ZONE.key)
    for counter, (name, location) in DOORS.items():
        footfall("counter", "add", counter, "--name", name, "--location", location, hide_output=True)
    with SftpServer(client, user="footfall", authorized_key=key.export_public_key().decode()) as server:
        _configure(port, server, day)
        _say(f"2. Start ingest, and let {PEOPLE} people walk through the doors on {day}, over a network that fails")
        with _ingest(port):
            footfall("simulate", "--day", str(day), "--people", PEOPLE, "--truth", "truth.csv")
            _say("3. Deliver the day to the client's SFTP server")
            footfall("export", "--day", str(day), "--deliver")
            footfall("deliveries")
            _say("4. Occupancy over the day, as the API tells it")
            _draw_occupancy(port, day)
    return _compare(client, day)


def footfall(*arguments: str, hide_output: bool = False) -> None:
    """Show and run a command of the product in the demo's folder. Ends the demo when it fails."""
    console.print(f"[bold]$ footfall {shlex.join(arguments)}[/bold]")
    output = subprocess.DEVNULL if hide_output else None  # a counter's key is for its device, not for a screen
    command = [sys.executable, "-m", "footfall", *arguments]
    done = subprocess.run(command, cwd=FOLDER, stdout=output, stderr=output, check=False)
    if done.returncode:
        console.print(f"[red]that failed with status {done.returncode}[/red]")
        raise SystemExit(1)


def _say(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/bold cyan]")


def _fresh_folder() -> None:
    if FOLDER.exists():
        if not (FOLDER / MARKER).exists():
            console.print(f"{FOLDER} is there and was not made by this demo: move it away")
            raise SystemExit(1)
        shutil.rmtree(FOLDER)
    FOLDER.mkdir()
    (FOLDER / MARKER).touch()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _configure(port: int, server: SftpServer, day: date) -> None:
    """Edit footfall.toml as a technician would: the port, the destination, the first day to deliver."""
    path = FOLDER / "footfall.toml"
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# listen ="):
            lines.append(f'listen = "127.0.0.1:{port}"')
        elif line.startswith("# destination ="):
            lines.append('destination = "client"')
        elif line.startswith("deliver_from ="):
            lines.append(f"deliver_from = {day}")
        else:
            lines.append(line)
    lines += [
        "",
        "[destinations.client]",
        'host = "127.0.0.1"',
        f"port = {server.port}",
        'user = "footfall"',
        'key_file = "data/id_ed25519"',
        f'host_key = "{server.host_key_line}"',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _ingest(port: int) -> Iterator[None]:
    """Run `footfall ingest`, its log in demo-data/ingest.log."""
    console.print("[bold]$ footfall ingest &[/bold]")
    with (FOLDER / "ingest.log").open("wb") as log:
        command = [sys.executable, "-m", "footfall", "ingest"]
        process = subprocess.Popen(command, cwd=FOLDER, stdout=log, stderr=log)
        try:
            _wait_ready(port, process)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline_s:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    console.print(f"[red]ingest did not start; see {FOLDER / 'ingest.log'}[/red]")
    raise SystemExit(1)


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


def _compare(client: Path, day: date) -> int:
    expected = expected_file(FOLDER / "truth.csv", day, ZONE, DOORS, NAME, SITE[:4].upper())
    path = client / f"{day:%d_%m_%Y}_counterdata-1.csv"
    _say(f"5. What the client received: {path}")
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
    _say("What next")
    console.print(f"   {FOLDER}/footfall.toml is a whole configuration to read; {FOLDER}/data holds the journal.")
    console.print("   cd demo-data; ../.venv/bin/footfall up        runs it; then, in a second terminal:")
    console.print("   ../.venv/bin/footfall simulate --live         people walk in real time, in opening hours")
    console.print("   ../.venv/bin/footfall doctor                  looks at everything that can be wrong")
    console.print("   docs/operations.md                            installs it for real")
    return 0


if __name__ == "__main__":
    sys.exit(main())
