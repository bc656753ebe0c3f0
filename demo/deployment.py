"""What `docker compose --profile demo up` adds to the services: a client, and simulated counters.

    setup     writes footfall.toml, the keys of two counters and the client's account, once
    client    runs the client's SFTP server, which receives the files
    history   simulates the last seven days, as fast as possible
    counters  simulates today and every following day, in real time

A real installation must never get these counters, because their counts are invented. So ``setup`` refuses a
footfall.toml that it did not write, and the others run only after ``setup`` has succeeded.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import urllib3

from demo.client_server import USER, create_account, serve

ZONE = ZoneInfo("Europe/Paris")
SITE, NAME = "demo", "Demo library"
DOORS = {"DEMO1": ("Main door", "Hall"), "DEMO2": ("Garden door", "Reading room")}
HISTORY_DAYS = 7
LAST_VISITORS_HOUR = 18
FORWARDING_TIMEOUT_S = 120
SFTP_PORT = 2222
MARK = "# Written by the demo profile of docker compose. These counters are simulated."


@dataclass(frozen=True)
class DemoPaths:
    """Paths in the demo's containers."""

    config: Path = Path("/etc/footfall/footfall.toml")
    delivery: Path = Path("/etc/footfall-delivery")
    client: Path = Path("/srv/client")


def main(arguments: Sequence[str]) -> int:
    """Run the part that *arguments* name, and return the exit status."""
    if list(arguments) == ["setup"]:
        return set_up(DemoPaths(), datetime.now(UTC).astimezone(ZONE).date())
    if list(arguments) == ["client"]:
        asyncio.run(serve(DemoPaths().client, "", SFTP_PORT))
        return 0
    if list(arguments) == ["history"]:
        return simulate_history(DemoPaths(), os.environ["DEMO_URL"])
    if list(arguments) == ["counters"]:
        return simulate_live(os.environ["DEMO_URL"])
    print("usage: python -m demo.deployment setup|client|history|counters", file=sys.stderr)
    return 2


def set_up(paths: DemoPaths, today: date) -> int:
    """Write the demo's configuration, and return 0. Return 1 if there is a real configuration, which stays as it is."""
    if paths.config.exists():
        if MARK in paths.config.read_text(encoding="utf-8"):
            return 0
        print(
            "demo refused: this installation has a real configuration, and the demo would add invented counts. "
            "Run the demo as a separate project: docker compose --project-name footfall-demo --profile demo up",
            file=sys.stderr,
        )
        return 1
    first_day = today - timedelta(days=HISTORY_DAYS)
    host_key = create_account(paths.client, paths.delivery / "id_ed25519")
    # The rename comes last, so an interrupted set-up starts over.
    draft = paths.config.with_name("footfall.toml.demo")
    draft.write_text(_configuration(paths, first_day, host_key), encoding="utf-8")
    for counter in DOORS:
        failed = _add_counter(draft, counter, first_day)
        if failed:
            return failed
    draft.rename(paths.config)
    print(f"wrote {paths.config}: {NAME} with {len(DOORS)} simulated counters")
    return 0


def simulate_history(paths: DemoPaths, url: str) -> int:
    """Simulate the days before the demo began, wait until InfluxDB has them, and return the exit status.

    A second run adds nothing: the days and their seeds stay the same.
    """
    settings = tomllib.loads(paths.config.read_text(encoding="utf-8"))
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


def simulate_live(url: str) -> int:
    """Simulate every day from now on. Return the exit status if that fails."""
    while True:
        now_local = datetime.now(UTC).astimezone(ZONE)
        if now_local.hour < LAST_VISITORS_HOUR:
            failed = _footfall("simulate", "--live", "--url", url, "--seed", str(now_local.toordinal()))
            if failed:
                return failed
        print("demo library closed until tomorrow", flush=True)
        while datetime.now(UTC).astimezone(ZONE).date() == now_local.date():
            time.sleep(60)


def _wait_for_forwarder(url: str) -> int:
    """Return 0 once InfluxDB has the whole journal, so that the first files are complete; 1 after a timeout."""
    for _ in range(FORWARDING_TIMEOUT_S):
        waiting = json.loads(urllib3.request("GET", f"{url}/api/v1/forwarder", timeout=10).data)["waiting"]
        if not waiting:
            return 0
        time.sleep(1)
    print(f"{waiting} rows not forwarded to InfluxDB; see: docker compose logs ingest", file=sys.stderr)
    return 1


def _configuration(paths: DemoPaths, first_day: date, host_key: str) -> str:
    return f"""{MARK}
# To delete everything: docker compose --profile demo down --volumes

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
port = {SFTP_PORT}
user = "{USER}"
key_file = "{paths.delivery / "id_ed25519"}"
host_key = "{host_key}"
"""


def _footfall(*arguments: str) -> int:
    """Run `footfall ARGUMENTS`, and return its exit status."""
    return subprocess.run([sys.executable, "-m", "cli", *arguments], check=False).returncode


def _add_counter(config: Path, counter: str, first_day: date) -> int:
    """Register *counter*, and return the exit status. Hides the output, because the key belongs in no log."""
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
