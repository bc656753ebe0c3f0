"""The site of `make demo` and `make demo-live`, and the commands that set it up."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from harness.installation import command

MARKER = "made-by-make-demo"
SITE, NAME, ZONE = "mediatheque", "Médiathèque", ZoneInfo("Europe/Paris")
DOORS = {"DOOR1": ("Main door", "Hall"), "DOOR2": ("Garden door", "Reading room")}

console = Console(highlight=False, soft_wrap=True)


def heading(text: str) -> None:
    """Print *text* as a heading."""
    console.print(f"\n[bold cyan]{text}[/bold cyan]")


def create_folder(folder: Path) -> None:
    """Create *folder*, replacing one that an earlier demo made. Exits if it holds anything else."""
    if folder.exists():
        if not (folder / MARKER).exists():
            raise SystemExit(f"{folder} already exists and is not from an earlier demo: move it away")
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / MARKER).touch()


def set_up_site(folder: Path) -> None:
    """Create footfall.toml and the counters' keys in *folder*, with the commands a technician uses."""
    footfall(folder, "init", "--site", SITE, "--name", NAME, "--timezone", ZONE.key)
    for counter, (name, location) in DOORS.items():
        footfall(folder, "counter", "add", counter, "--name", name, "--location", location, hide_output=True)


def edit(path: Path, settings: Mapping[str, str], more: str) -> None:
    """Replace each line of footfall.toml that starts with a key of *settings*, and append *more*."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for start, line in settings.items():
        number = next(number for number, old in enumerate(lines) if old.startswith(start))
        lines[number] = line
    path.write_text("\n".join([*lines, more]), encoding="utf-8")


def footfall(folder: Path, *arguments: str, hide_output: bool = False) -> None:
    """Print and run `footfall ARGUMENTS` in *folder*. Exits if it fails."""
    print_command(*arguments)
    output = subprocess.DEVNULL if hide_output else None  # a counter's key belongs on no screen
    status = subprocess.run(command(*arguments), cwd=folder, stdout=output, stderr=output, check=False).returncode
    if status:
        raise SystemExit(f"footfall {arguments[0]} failed with exit status {status}")


def print_command(*arguments: str, end: str = "") -> None:
    """Print `footfall ARGUMENTS` as a user would type it."""
    console.print(f"[bold]$ footfall {shlex.join(arguments)}{end}[/bold]")
