"""The `footfall` command as people meet it: complete help, and errors that say what to do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli import COMMANDS, main
from harness.installation import Installation, install


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below *group*, groups too, with the words it is called by."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = {" ".join(path): command for path, command in commands(main)}


def test_every_command_of_the_design_is_there() -> None:
    assert [command.name for command in COMMANDS] == [
        "init", "up", "ingest", "exporter", "forwarder", "counter", "export", "deliveries", "import", "quarantine",
        "simulate", "doctor",
    ]  # fmt: skip
    assert {name for name in ALL if name.startswith("counter ")} == {
        "counter add",
        "counter list",
        "counter rotate-key",
        "counter remove",
    }


@pytest.mark.parametrize("name", ["", *ALL])
def test_help_says_what_the_command_does_and_names_every_option(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="footfall", terminal_width=100)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: footfall {name}".rstrip())
    command = ALL.get(name, main)
    assert (command.help or "").split("\n")[0].endswith((".", ",", "its"))
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert all(option in result.stdout for option in parameter.opts)
            assert parameter.help or parameter.name == "version", f"{parameter.name} is not explained"
        elif isinstance(parameter, click.Argument):
            assert parameter.make_metavar(click.Context(command)) in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    if isinstance(command, click.Group):
        assert all(f"\n  {one} " in result.stdout for one in command.list_commands(click.Context(command)))


def test_help_describes_each_command_in_a_sentence() -> None:
    summaries = {command.name: command.summary for command in COMMANDS}
    sentences = {name: summaries.get(name) or command.short_help or "" for name, command in ALL.items()}
    assert [name for name, sentence in sentences.items() if not sentence.endswith(".")] == []


def test_help_imports_no_command() -> None:
    """A terminal shows it at once, and a container checks its entry point with it."""
    program = "import sys; from cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: ")
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert {"cli", "click", "footfall"} <= loaded
    heavy = {"ingest", "exporter", "simulator", "flask", "paramiko", "influxdb_client", "rich", "msgspec", "tomlkit"}
    assert loaded & (heavy | {"urllib3", "tomllib", "granian", "prometheus_client", "schedule", "babel"}) == set()


def test_version_is_printed() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("footfall, version 0.")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("cli") / "site")


def failure(here: Installation, *arguments: str, **variables: str) -> str:
    """Run what must fail, and return the one line that says why."""
    done = here.run(*arguments, check=False, **variables)
    assert done.returncode == 2
    assert done.stdout == b""
    line = done.stderr.decode()
    assert line.startswith("footfall: ")
    assert line.count("\n") == 1
    return line.removeprefix("footfall: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("export", "which day? (--day D, or --from D --to D, or --deliver for all that is owed)"),
        ("export --day 2026-05-04 --from 2026-05-04", "--day cannot be combined with --from or --to (choose one)"),
        ("export --from 2026-05-04", "--from and --to must be given together (--to is inclusive)"),
        ("export --from 2026-05-04 --to 2026-05-03", "--to is before --from (swap them)"),
        ("export --day 2026-05-04 --profile nobody",
         "footfall.toml: unknown profile 'nobody'; known: alliance"),
        ("export --day 2026-05-04 --deliver",
         "profile alliance has no destination (set `destination` in footfall.toml)"),
        ("export --day 2999-05-04 --deliver", "alliance/2999-05-04 is not over yet (wait until 08:00-19:00 has ended)"),
        ("deliveries --profile nobody", "footfall.toml: unknown profile 'nobody'; known: alliance"),
        ("counter add ALLI1 --name N --location L",
         "counter ALLI1 is already registered (new key: footfall counter rotate-key ID)"),
        ("counter add A/1 --name N --location L",
         "invalid counter id 'A/1' (use 1 to 64 letters, digits, `_`, `.` and `-`)"),
        ("counter add A1 --name N --location L --site X", "no site 'X' (sites: alliance)"),
        ("counter rotate-key A1", "no counter 'A1' (footfall counter list shows all counters)"),
        ("counter remove A1", "no counter 'A1' (footfall counter list shows all counters)"),
        ("import nowhere.csv", "cannot read nowhere.csv: No such file or directory (check the path)"),
        ("import footfall.toml",
         ("footfall.toml, line 1: 1 column instead of 9 "
         "(the file must be in the format of profile alliance)")),
        ("simulate --site X", "there is no site 'X' (footfall.toml has: alliance)"),
        ("init .", "footfall.toml: already exists (edit it, or name another folder)"),
        ("init a --timezone Mars/Olympus",
         "footfall init: --timezone is not an IANA time zone: 'Mars/Olympus'; write one like \"Europe/Paris\""),
        ("init a --site a/b", "footfall init: --site must be 1 to 64 letters, digits, `_`, `.` and `-`, not 'a/b'"),
        ("init a --name", "footfall init: --name must be a non-empty string"),
    ],
)  # fmt: skip
def test_failure_is_one_line_that_says_what_to_do(here: Installation, arguments: str, line: str) -> None:
    words = arguments.split()
    assert failure(here, *words, *([""] if words[-1] == "--name" else [])) == line


def test_command_without_a_configuration_says_how_to_make_one(tmp_path: Path) -> None:
    assert failure(Installation(tmp_path, 0), "export", "--day", "2026-05-04") == (
        "footfall.toml: no such file (run `footfall init`, or name the file: --config PATH or FOOTFALL_CONFIG)"
    )


def test_configuration_is_found_where_it_is_said_to_be(here: Installation, tmp_path: Path) -> None:
    elsewhere, path = Installation(tmp_path, 0), str(here.folder / "footfall.toml")
    wanted = here.run("counter", "list").stdout
    assert elsewhere.run("counter", "list", FOOTFALL_CONFIG=path).stdout == wanted
    assert elsewhere.run("--config", path, "counter", "list", FOOTFALL_CONFIG="/nowhere").stdout == wanted


@pytest.mark.parametrize("command", ["export --day 2026-05-04", "counter list", "doctor", "up", "ingest", "exporter"])
def test_every_command_reports_all_problems_of_the_configuration(tmp_path: Path, command: str) -> None:
    here = install(tmp_path / "site")
    with (here.folder / "footfall.toml").open("a") as file:
        file.write('[counters.X]\nsite = "nowhere"\nname = 5\n[profiles.b]\nsite = "elsewhere"\n')
    done = here.run(*command.split(), check=False)
    assert done.returncode == 2
    printed = done.stderr.decode()
    assert "counters.X.site names an unknown site: 'nowhere'; known: alliance" in printed
    assert "counters.X.name must be a non-empty string" in printed
    assert "counters.X.location is missing" in printed
    assert ("profiles.b.site names an unknown site" in printed) is (command not in ("counter list", "ingest"))
    assert "Traceback" not in printed


def test_line_that_is_not_toml_is_named(here: Installation, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[sites\n")
    line = failure(here, "--config", str(broken), "counter", "list")
    assert line.startswith(f"{broken}: is not TOML: ")
    assert "line 1" in line
    assert line.endswith(" (correct that line)")


def test_secret_that_cannot_be_read_is_an_error_and_never_an_empty_secret(here: Installation) -> None:
    line = failure(here, "export", "--day", "2026-05-04", FOOTFALL_DATA_FILE="/nowhere/secret")
    assert line.startswith("footfall.toml: FOOTFALL_DATA_FILE: /nowhere/secret cannot be read")


def test_log_level_nobody_knows_is_refused(here: Installation) -> None:
    assert failure(here, "exporter", FOOTFALL_LOG_LEVEL="loud") == (
        "FOOTFALL_LOG_LEVEL: must be one of debug, info, warning, error, not 'loud'"
    )


def test_port_somebody_listens_on_ends_up_at_once(tmp_path: Path) -> None:
    """Two that share a port would each get half of the batches, and one might not know the counters."""
    here = install(tmp_path / "site")
    other = install(tmp_path / "other")
    config = other.folder / "footfall.toml"
    config.write_text(config.read_text().replace(str(other.port), str(here.port)))
    with here.serving():
        assert failure(other, "up") == (
            f"cannot listen on 127.0.0.1:{here.port}: Address already in use "
            "(stop the other ingest, or change `listen` in [ingest] of footfall.toml)"
        )
