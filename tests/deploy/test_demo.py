"""The demo profile of docker compose: nothing to prepare, and it never touches a real installation."""

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from demo.deployment import DOORS, HISTORY_DAYS, DemoPaths, set_up
from exporter.exporter_settings import load_exporter_config
from footfall.environment import Environment
from footfall.settings import read_config
from ingest.ingest_settings import load_ingest_config

TODAY = date(2026, 11, 22)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoPaths:
    """The demo's folders, empty, with the data folder that a container would have."""
    found = DemoPaths(tmp_path / "config" / "footfall.toml", tmp_path / "delivery", tmp_path / "client")
    for folder in (found.config.parent, found.delivery, found.client, tmp_path / "data"):
        folder.mkdir()
    monkeypatch.setenv("FOOTFALL_DATA", str(tmp_path / "data"))
    return found


def test_set_up_writes_a_valid_installation_that_delivers_a_week(paths: DemoPaths, tmp_path: Path) -> None:
    assert set_up(paths, TODAY) == 0
    config = read_config(paths.config)
    environment = Environment({"FOOTFALL_DATA": str(tmp_path / "data")})
    ingest, exporter = load_ingest_config(config, environment), load_exporter_config(config, environment)
    config.finish()
    assert set(ingest.registry.counters) == set(DOORS) == set(ingest.registry.keys)
    (profile,) = tomllib.loads(paths.config.read_text())["profiles"].values()
    assert (TODAY - profile["deliver_from"]).days == HISTORY_DAYS
    assert set(exporter.destinations) == {"client"}


def test_second_set_up_changes_nothing(paths: DemoPaths, tmp_path: Path) -> None:
    set_up(paths, TODAY)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert set_up(paths, date(2026, 11, 25)) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_real_installation_is_refused(paths: DemoPaths, capsys: pytest.CaptureFixture[str]) -> None:
    """Simulated crossings among real ones would be invented counts."""
    paths.config.write_text('[sites.library]\nname = "Library"\ntimezone = "Europe/Paris"\n')
    assert set_up(paths, TODAY) == 1
    assert "docker compose --project-name footfall-demo --profile demo up" in capsys.readouterr().err
    assert "DEMO1" not in paths.config.read_text()
    assert not list(paths.delivery.iterdir())


def test_interrupted_set_up_starts_over(paths: DemoPaths) -> None:
    set_up(paths, TODAY)
    paths.config.rename(paths.config.with_name("footfall.toml.demo"))
    (paths.delivery / "id_ed25519").write_text("half a key")
    assert set_up(paths, TODAY) == 0
    assert "BEGIN OPENSSH PRIVATE KEY" in (paths.delivery / "id_ed25519").read_text()


def test_unknown_part_is_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "demo.deployment", "all"], capture_output=True, check=False)
    assert done.returncode == 2
