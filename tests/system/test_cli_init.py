"""`footfall init`: a folder that is ready to count, and the example in the repository."""

import re
import stat
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cli.example import TABLES, render_example
from exporter.exporter_settings import ExporterConfig, load_exporter_config
from footfall.environment import Environment
from footfall.settings import read_config, settings_of
from harness.installation import Installation
from ingest.ingest_settings import IngestConfig, load_ingest_config

EXAMPLE = Path(__file__).parents[2] / "footfall.example.toml"
DEFAULTS = {
    (table.PATH.partition(".")[0], name)
    for table in TABLES
    for name, one in settings_of(table).items()
    if one.default is not None
}


def uncommented(is_wanted: Callable[[str, str], bool]) -> str:
    """Return the example with the settings that *is_wanted*(table, name) uncommented; a heading has the name ""."""
    table, lines = "", []
    for line in EXAMPLE.read_text().splitlines():
        if heading := re.fullmatch(r"(?:# )?\[(.+)\]", line):
            table = heading[1]
        comment = re.fullmatch(r"# ((?:(\w+) = |\[).+)", line)
        lines.append(comment[1] if comment and is_wanted(table, comment[2] or "") else line)
    return "\n".join(lines)


def read(path: Path) -> tuple[IngestConfig, ExporterConfig]:
    config = read_config(path)
    both = load_ingest_config(config, Environment({})), load_exporter_config(config, Environment({}))
    config.finish()
    return both


def test_folder_is_ready_to_count_and_its_secrets_are_private(tmp_path: Path) -> None:
    day = datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")).date()
    done = Installation(tmp_path, 0).run(
        "init", "new/site", "--site", "quay", "--name", 'The "Quay" \\ 港', "--timezone", "Asia/Tokyo"
    )
    assert day == datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")).date(), "it was midnight: run it again"
    folder = tmp_path / "new" / "site"
    assert b"new/site/footfall.toml" in done.stdout
    ingest, exporter = read(folder / "footfall.toml")
    site = ingest.registry.sites["quay"]
    assert (site.name, site.code, site.tz.key) == ('The "Quay" \\ 港', "QUAY", "Asia/Tokyo")
    profile = exporter.profile("quay")
    assert (profile.deliver_from, profile.destination, exporter.destinations) == (day, None, {})
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "data" / "keys.toml").stat().st_mode) == 0o600
    here = Installation(folder, 0)
    assert here.run("counter", "add", "DOOR1", "--name", "Main door", "--location", "Hall").stdout.startswith(b"whsec_")


def test_keys_go_where_the_environment_keeps_data(tmp_path: Path) -> None:
    """FOOTFALL_DATA: the folder of the journal, the ledger and the key file, instead of `data` in footfall.toml."""
    Installation(tmp_path, 0).run("init", "site", FOOTFALL_DATA=str(tmp_path / "volume"))
    assert (tmp_path / "volume" / "keys.toml").is_file()
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["footfall.toml"]


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    here = Installation(tmp_path, 0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys.toml").write_text("A = []\n")
    here.run("init")
    assert (tmp_path / "data" / "keys.toml").read_text() == "A = []\n"
    before = (tmp_path / "footfall.toml").read_bytes()
    done = here.run("init", "--site", "other", check=False)
    assert done.returncode == 2
    assert done.stderr == b"footfall: footfall.toml: already exists (edit it, or name another folder)\n"
    assert (tmp_path / "footfall.toml").read_bytes() == before


def test_folder_that_was_refused_is_not_half_made(tmp_path: Path) -> None:
    assert Installation(tmp_path, 0).run("init", "site", "--timezone", "Mars", check=False).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_example_in_the_repository_is_what_init_writes() -> None:
    assert EXAMPLE.read_text() == render_example("alliance", "Alliance", "Europe/Paris", date(2026, 5, 4))


def test_lines_that_start_with_a_hash_show_the_default(tmp_path: Path) -> None:
    """Except settings without a default, and the two tables that are examples as a whole."""

    def is_default(table: str, name: str) -> bool:
        first = table.partition(".")[0]
        return first not in ("counters", "destinations") and (not name or (first, name) in DEFAULTS)

    plain, written = tmp_path / "plain.toml", tmp_path / "written.toml"
    plain.write_text(EXAMPLE.read_text())
    written.write_text(uncommented(is_default))
    assert len(tomllib.loads(written.read_text())["profiles"]["alliance"]) == 2 + 14
    expected = [replace(one, path=written) for one in read(plain)]
    assert list(read(written)) == expected


@pytest.mark.parametrize("part", ["counters.DOOR1", "ingest.legacy", "influxdb"])
def test_part_that_is_commented_out_is_right_once_it_is_not(tmp_path: Path, part: str) -> None:
    text = uncommented(lambda table, name: table == part).replace("enabled = false", "enabled = true")
    (tmp_path / "footfall.toml").write_text(text)
    (tmp_path / "data").mkdir()
    for name in ("influxdb-token", "ca.pem"):
        (tmp_path / "data" / name).write_text("token")
    ingest, _ = read(tmp_path / "footfall.toml")
    assert ("DOOR1" in ingest.registry.counters) is (part == "counters.DOOR1")
    assert (ingest.legacy_networks is not None) is (part == "ingest.legacy")
    assert (ingest.influx is not None) is (part == "influxdb")


@pytest.mark.parametrize("folder", ["/proc/footfall", "file/below"])
def test_folder_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    done = Installation(tmp_path, 0).run("init", folder, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("footfall: footfall init: cannot write ")
