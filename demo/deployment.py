"""What `docker compose --profile demo up` adds to the services: a client, counters that do not exist, their settings.

    setup     writes footfall.toml, two counters' keys and the client's account, once
    client    the client's SFTP server: takes the files the exporter delivers
    history   walks people through the doors of the seven days before, as fast as possible
    counters  walks people through the doors of today, and of every day to come, in real time

An installation that counts real people must never get these counters, for their counts would be invented: ``setup``
refuses a footfall.toml that it did not write, and the others run only once ``setup`` has succeeded.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncssh
import urllib3

ZONE = ZoneInfo("Europe/Paris")
SITE, NAME = "demo", "Demo library"
DOORS = {"DEMO1": ("Main door", "Hall"), "DEMO2": ("Garden door", "Reading room")}
HISTORY_DAYS = 7
LAST_VISITORS_HOUR = 18
FORWARDED_WITHIN_S = 120
USER, PORT = "demo", 2222
MARK = "# Written by the demo of docker compose: these counters do not exist."


@dataclass(frozen=True)
class Places:
    """Where things are in the containers of the demo."""

    config: Path = Path("/etc/footfall/footfall.toml")
    delivery: Path = Path("/etc/footfall-delivery")
    client: Path = Path("/srv/client")


def main(arguments: Sequence[str]) -> int:
    """Do what *arguments* say, and return the exit status."""
    if list(arguments) == ["setup"]:
        return set_up(Places(), datetime.now(UTC).astimezone(ZONE).date())
    if list(arguments) == ["client"]:
        asyncio.run(_serve_client(Places()))
        return 0
    if list(arguments) == ["history"]:
        return walk_history(Places(), os.environ["DEMO_URL"])
    if list(arguments) == ["counters"]:
        return walk_live(os.environ["DEMO_URL"])
    print("usage: python -m demo.deployment setup|client|history|counters", file=sys.stderr)
    return 2


def set_up(places: Places, today: date) -> int:
    """Write the demo's configuration; return 0, or 1 where there is another that must not be touched."""
    if places.config.exists():
        if MARK in places.config.read_text(encoding="utf-8"):
            return 0
        print(
            "this installation has a configuration of its own, and the demo would invent counts in it: run the demo "
            "beside it, as a project of its own: docker compose --project-name footfall-demo --profile demo up",
            file=sys.stderr,
        )
        return 1
    first_day = today - timedelta(days=HISTORY_DAYS)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="footfall")
    host_key = asyncssh.generate_private_key("ssh-ed25519", comment="demo client")
    _write_secret(places.delivery / "id_ed25519", key.export_private_key())
    _write_secret(places.client / "host_key", host_key.export_private_key())
    _write_secret(places.client / "authorized_keys", key.export_public_key())
    (places.client / "in").mkdir(exist_ok=True)
    host_line = " ".join(host_key.export_public_key().decode().split()[:2])
    # Last of all, in one step: a set-up that was cut short begins again.
    beside = places.config.with_name("footfall.toml.demo")
    beside.write_text(_configuration(places, first_day, host_line), encoding="utf-8")
    for counter in DOORS:
        failed = _add_counter(beside, counter, first_day)
        if failed:
            return failed
    beside.rename(places.config)
    print(f"wrote {places.config}: {NAME}, with {len(DOORS)} counters that do not exist")
    return 0


def walk_history(places: Places, url: str) -> int:
    """Walk people through the doors of the days before the demo began; return the exit status once InfluxDB knows.

    They are always the same days, and the same day with the same seed adds nothing a second time: a container that
    runs again doubles nobody.
    """
    settings = tomllib.loads(places.config.read_text(encoding="utf-8"))
    first_day = settings["profiles"][SITE]["deliver_from"]
    for day in (first_day + timedelta(days=number) for number in range(HISTORY_DAYS)):
        visitors = 500 if day.weekday() < 5 else 260
        failed = _footfall(
            "simulate", "--day", day.isoformat(), "--url", url,
            "--people", str(visitors), "--seed", str(day.toordinal()),
        )  # fmt: skip
        if failed:
            return failed
    return _wait_for_forwarder(url)


def walk_live(url: str) -> int:
    """Walk people through the doors of every day from now on; return the exit status should that fail."""
    while True:
        now_local = datetime.now(UTC).astimezone(ZONE)
        if now_local.hour < LAST_VISITORS_HOUR:
            failed = _footfall("simulate", "--live", "--url", url, "--seed", str(now_local.toordinal()))
            if failed:
                return failed
        print("the demo library is closed; people come again tomorrow", flush=True)
        while datetime.now(UTC).astimezone(ZONE).date() == now_local.date():
            time.sleep(60)


def _wait_for_forwarder(url: str) -> int:
    """Return 0 once InfluxDB knows what the journal knows, so that the first files the client gets are whole."""
    for _ in range(FORWARDED_WITHIN_S):
        waiting = json.loads(urllib3.request("GET", f"{url}/api/v1/forwarder", timeout=10).data)["waiting"]
        if not waiting:
            return 0
        time.sleep(1)
    print(f"{waiting} rows of the journal still wait for InfluxDB: docker compose logs ingest", file=sys.stderr)
    return 1


async def _serve_client(places: Places) -> None:
    """Take files by SFTP until the container is stopped."""
    server = await asyncssh.listen(
        port=PORT,
        server_host_keys=[str(places.client / "host_key")],
        authorized_client_keys=str(places.client / "authorized_keys"),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(places.client / "in").encode()),
        allow_scp=False,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"the client's server takes files as {USER} on port {PORT}")
    await stop.wait()
    server.close()


def _configuration(places: Places, first_day: date, host_line: str) -> str:
    return f"""{MARK}
# docker compose --profile demo down --volumes forgets all of it.

[sites.{SITE}]
name = "{NAME}"
code = "DEMO"
timezone = "{ZONE.key}"
hours = "08:00-19:00"
capacity = 120

[profiles.{SITE}]
site = "{SITE}"
destination = "client"
deliver_from = {first_day}

[destinations.client]
host = "demo-client"
port = {PORT}
user = "{USER}"
key_file = "{places.delivery / "id_ed25519"}"
host_key = "{host_line}"
"""


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _footfall(*arguments: str) -> int:
    """Run a command of the product; return its exit status."""
    return subprocess.run([sys.executable, "-m", "cli", *arguments], check=False).returncode


def _add_counter(config: Path, counter: str, first_day: date) -> int:
    """Register *counter*; return the exit status. Its key is for a device, not for a log."""
    name, location = DOORS[counter]
    command = [
        sys.executable, "-m", "cli", "--config", str(config), "counter", "add", counter,
        "--name", name, "--location", location, "--since", first_day.isoformat(),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, end="", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
