"""What the demos share: a folder of their own, the product's commands, and ingest once it answers."""

import contextlib
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import urllib3
from rich.console import Console

MARKER = "made-by-make-demo"
SITE, NAME, ZONE = "mediatheque", "Médiathèque", ZoneInfo("Europe/Paris")
DOORS = {"DOOR1": ("Main door", "Hall"), "DOOR2": ("Garden door", "Reading room")}

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a heading."""
    console.print(f"\n[bold cyan]{text}[/bold cyan]")


def fresh_folder(folder: Path) -> None:
    """Make *folder* anew. Ends the demo where somebody else made it."""
    if folder.exists():
        if not (folder / MARKER).exists():
            console.print(f"{folder} is there and was not made by this demo: move it away")
            raise SystemExit(1)
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / MARKER).touch()


def set_up_site(folder: Path) -> None:
    """Write a configuration with the site and its counters, as a technician would."""
    footfall(folder, "init", "--site", SITE, "--name", NAME, "--timezone", ZONE.key)
    for counter, (name, location) in DOORS.items():
        footfall(folder, "counter", "add", counter, "--name", name, "--location", location, hide_output=True)


def edit(path: Path, settings: Mapping[str, str], more: str) -> None:
    """Edit footfall.toml as a technician would: replace the lines that start as *settings* says, and add *more*."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for start, line in settings.items():
        number = next(number for number, old in enumerate(lines) if old.startswith(start))
        lines[number] = line
    path.write_text("\n".join([*lines, more]), encoding="utf-8")


def footfall(folder: Path, *arguments: str, hide_output: bool = False) -> None:
    """Show and run a command of the product in *folder*. Ends the demo when it fails."""
    show_command(*arguments)
    output = subprocess.DEVNULL if hide_output else None  # a counter's key is for its device, not for a screen
    done = subprocess.run(command(*arguments), cwd=folder, stdout=output, stderr=output, check=False)
    if done.returncode:
        console.print(f"[red]that failed with status {done.returncode}[/red]")
        raise SystemExit(1)


def command(*arguments: str) -> list[str]:
    """Return the command line of `footfall ARGUMENTS`."""
    return [sys.executable, "-m", "cli", *arguments]


def show_command(*arguments: str, end: str = "") -> None:
    """Print a command of the product as somebody would type it."""
    console.print(f"[bold]$ footfall {shlex.join(arguments)}{end}[/bold]")


def free_port(wished: int = 0) -> int:
    """Return a TCP port of the loopback that nobody listens on: *wished*, if that is so."""
    for port in (wished, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    raise SystemExit("no port of 127.0.0.1 is free")


def wait_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once ingest at *url*, which is *process*, answers. Ends the demo when it does not."""
    deadline_s = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline_s:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{url}/readyz", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    console.print(f"[red]ingest did not start; see {log}[/red]")
    raise SystemExit(1)
