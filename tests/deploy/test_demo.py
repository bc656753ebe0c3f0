"""The profile demo: one command, nothing to prepare, and never into an installation that counts real people."""

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from demo.deployment import DOORS, HISTORY_DAYS, Places, set_up
from exporter.exporter_settings import load_exporter_config
from footfall.environment import Environment
from footfall.settings import read_config
from ingest.ingest_settings import load_ingest_config

TODAY = date(2026, 11, 22)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """The demo's folders, new; the keys go where a container would keep them."""
    found = Places(tmp_path / "config" / "footfall.toml", tmp_path / "delivery", tmp_path / "client")
    for folder in (found.config.parent, found.delivery, found.client, tmp_path / "data"):
        folder.mkdir()
    monkeypatch.setenv("FOOTFALL_DATA", str(tmp_path / "data"))
    return found


def test_set_up_is_a_whole_installation_that_delivers_a_week(places: Places, tmp_path: Path) -> None:
    assert set_up(places, TODAY) == 0
    config = read_config(places.config)
    environment = Environment({"FOOTFALL_DATA": str(tmp_path / "data")})
    ingest, exporter = load_ingest_config(config, environment), load_exporter_config(config, environment)
    config.finish()
    assert set(ingest.registry.counters) == set(DOORS) == set(ingest.registry.keys)
    (profile,) = tomllib.loads(places.config.read_text())["profiles"].values()
    assert (TODAY - profile["deliver_from"]).days == HISTORY_DAYS
    assert set(exporter.destinations) == {"client"}


def test_set_up_again_changes_nothing(places: Places, tmp_path: Path) -> None:
    set_up(places, TODAY)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert set_up(places, date(2026, 11, 25)) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_real_installation_is_refused(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """Simulated people among real ones would be invented counts."""
    places.config.write_text('[sites.library]\nname = "Library"\ntimezone = "Europe/Paris"\n')
    assert set_up(places, TODAY) == 1
    assert "docker compose --project-name footfall-demo --profile demo up" in capsys.readouterr().err
    assert "DEMO1" not in places.config.read_text()
    assert not list(places.delivery.iterdir())


def test_set_up_that_was_cut_short_begins_again(places: Places) -> None:
    set_up(places, TODAY)
    places.config.rename(places.config.with_name("footfall.toml.demo"))
    (places.delivery / "id_ed25519").write_text("half a key")
    assert set_up(places, TODAY) == 0
    assert "BEGIN OPENSSH PRIVATE KEY" in (places.delivery / "id_ed25519").read_text()


def test_unknown_word_is_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "demo.deployment", "all"], capture_output=True, check=False)
    assert done.returncode == 2
