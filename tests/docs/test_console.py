"""The commands, configurations and systemd unit in the pages work."""

import configparser
import os
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import urllib3

from cli import COMMANDS
from exporter.exporter_settings import load_exporter_config
from footfall.environment import Environment
from footfall.settings import ConfigFile
from harness.installation import free_port
from ingest.ingest_settings import load_ingest_config
from tests.docs.markdown_pages import ROOT, Block, Page, page, pages

CONSOLES = [page("docs/install.md"), page("docs/operate.md")]  # as a technician reads them
CONFIGURATIONS = [
    pytest.param(block.text, id=f"{one.name}:{block.line}")
    for one in pages()
    for block in one.blocks("toml")
    if block.marker != "setting"
]
DESTINATION = '\n[destinations.client]\nkind = "folder"\nfolder = "client"\n'


def commands_of(one: Page) -> list[str]:
    """Return the commands after `$ ` in the page's consoles, in order."""
    lines = [line for block in one.blocks("console") for line in block.text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def test_consoles_are_on_the_pages_that_are_run() -> None:
    """A command on another page would never run before a reader types it."""
    assert [one for one in pages() if one.blocks("console")] == CONSOLES


def test_consoles_run_from_top_to_bottom(tmp_path: Path) -> None:
    """In an empty folder, one after the other; `footfall up` stays up. Only doctor may find something: status 1."""
    port = free_port()
    variables = {**os.environ, "FOOTFALL_LISTEN": f"127.0.0.1:{port}"}
    commands = [command for one in CONSOLES for command in commands_of(one)]
    with ExitStack() as running:
        for command in commands:
            words = shlex.split(command)
            assert words[0] == "footfall", command
            if words[1] == "up":
                running.enter_context(service(words[1:], tmp_path, variables, port))
                continue
            done = subprocess.run(
                [sys.executable, "-m", "cli", *words[1:]],
                cwd=tmp_path,
                env=variables,
                capture_output=True,
                timeout=600,
                check=False,
            )
            allowed = {0, 1} if words[1] == "doctor" else {0}
            assert done.returncode in allowed, f"$ {command}\n{done.stdout.decode()}{done.stderr.decode()}"
            if words[1] == "init":
                give_destination(tmp_path)
    assert (tmp_path / "data" / "journal.sqlite").exists()


def give_destination(folder: Path) -> None:
    """Edit footfall.toml as a technician does after `init`: the profile's destination, here a folder."""
    (folder / "client").mkdir()
    path = folder / "footfall.toml"
    text = path.read_text(encoding="utf-8")
    assert '# destination = "client"' in text
    path.write_text(text.replace('# destination = "client"', 'destination = "client"') + DESTINATION, encoding="utf-8")


@contextmanager
def service(words: list[str], folder: Path, variables: Mapping[str, str], port: int) -> Iterator[None]:
    """Run a service of the page until the block ends, once ingest answers."""
    with (folder / "up.log").open("wb") as log:
        command = [sys.executable, "-m", "cli", *words]
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 20
            while not answers(port):
                assert process.poll() is None, (folder / "up.log").read_text()
                assert time.monotonic() < deadline, "ingest does not answer"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0, "a service that is asked to end does so with status 0"


def answers(port: int) -> bool:
    """Return whether an ingest is ready at *port*."""
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_consoles_show_most_commands() -> None:
    """Every command is in a console that is run, except the services that `up` runs."""
    shown = {shlex.split(command)[1] for one in CONSOLES for command in commands_of(one)}
    assert shown == {command.name for command in COMMANDS} - {"ingest", "exporter", "forwarder"}


@pytest.mark.parametrize("text", [*CONFIGURATIONS, (ROOT / "footfall.example.toml").read_text(encoding="utf-8")])
def test_configuration_of_a_page_loads(text: str) -> None:
    """Each is a footfall.toml, or a part of one, that both services accept."""
    config = ConfigFile(Path("/nowhere/footfall.toml"), tomllib.loads(text))
    load_ingest_config(config, Environment({}))
    load_exporter_config(config, Environment({}))
    config.finish()


def test_unit_for_systemd_starts_a_command_that_is_there() -> None:
    """The unit parses; it runs a service of ours, as its own user, in a folder it may write."""
    (block,) = unit_blocks()
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names in units have capitals
    unit.read_string(block.text)
    start = unit["Service"]["ExecStart"].split()
    assert start[0] == "/opt/footfall/bin/footfall"
    assert start[1] in {command.name for command in COMMANDS}
    assert unit["Service"]["User"] == "footfall"
    assert unit["Service"]["WorkingDirectory"] == unit["Service"]["ReadWritePaths"]


def unit_blocks() -> list[Block]:
    """Return the units of the page for technicians."""
    return page("docs/install.md").blocks("ini", "unit")
