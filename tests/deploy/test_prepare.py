"""The volumes of docker compose, and the tokens in them. Owners are left alone here: tests are not root everywhere."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from deploy.prepare import KEYS_OF_THE_FIRST, VOLUMES_BY_NAME, prepare_volumes, wait_for
from tests.support.compose import ROOT

INFLUX = """#!/bin/bash
# Stands in for InfluxDB's command line: notes what it was asked, and answers as `influx auth create --json` does.
echo "$*" >>"$ASKED"
if [ "$1 $2" = "bucket list" ]; then printf 'b1b2\\tfootfall\\tinfinite\\n'; exit; fi
[ -z "${BREAKS:-}" ] || { echo 'Error: failed to create authorization' >&2; exit 1; }
printf '{\\n\\t"id": "0c",\\n\\t"token": "secret-%s==",\\n\\t"userName": "admin"\\n}\\n' "$(wc -l <"$ASKED")"
"""


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A folder with every volume mounted in it, new."""
    folder = tmp_path / "volumes"
    for name in VOLUMES_BY_NAME:
        (folder / name).mkdir(parents=True)
    return folder


def test_secrets_are_made_once(volumes: Path) -> None:
    """A second start must find the first one's password."""
    assert prepare_volumes(volumes, owned=False) == 0
    made = {path: path.read_text() for path in volumes.rglob("*") if path.is_file()}
    assert sorted(path.relative_to(volumes).as_posix() for path in made) == [
        "grafana-admin/password", "influxdb-admin/password", "influxdb-admin/token",
    ]  # fmt: skip
    assert len(set(made.values())) == 3
    assert all(len(text.strip()) >= 43 for text in made.values())
    assert prepare_volumes(volumes, owned=False) == 0
    assert {path: path.read_text() for path in made} == made


def test_only_the_owner_and_one_group_look_into_a_volume(volumes: Path) -> None:
    prepare_volumes(volumes, owned=False)
    for name, volume in VOLUMES_BY_NAME.items():
        mode = stat.S_IMODE((volumes / name).stat().st_mode)
        assert mode == volume.mode
        assert mode & 0o007 == 0
        for path in (volumes / name).iterdir():
            if not path.is_symlink():
                assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert all(VOLUMES_BY_NAME[name].mode & stat.S_ISGID for name in VOLUMES_BY_NAME if name.startswith("token-"))


def test_replicas_find_the_keys_of_the_first_ingest(volumes: Path) -> None:
    """One key file for all: what `footfall counter` changes, every ingest takes up."""
    prepare_volumes(volumes, owned=False)
    prepare_volumes(volumes, owned=False)
    for name in ("data-2", "data-3"):
        assert (volumes / name / "keys.toml").readlink() == KEYS_OF_THE_FIRST
    assert not (volumes / "data" / "keys.toml").exists()


def test_half_a_secret_of_a_start_that_was_cut_is_made_anew(volumes: Path) -> None:
    (volumes / "grafana-admin" / "password.new").write_text("ha")
    prepare_volumes(volumes, owned=False)
    assert len((volumes / "grafana-admin" / "password").read_text().strip()) >= 43
    assert not (volumes / "grafana-admin" / "password.new").exists()


def test_volume_nobody_knows_is_told(volumes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (volumes / "grafana-typo").mkdir()
    assert prepare_volumes(volumes, owned=False) == 1
    assert "grafana-typo" in capsys.readouterr().err


def test_services_wait_for_tokens_and_hear_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    assert not wait_for((token,), 3, lambda _: None)
    assert f"{token}; see: docker compose logs influxdb" in capsys.readouterr().err
    assert wait_for((token,), 3, lambda _: token.write_text("t"))


def make_tokens(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the script that InfluxDB's image runs, with a stand-in for InfluxDB's command line."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "influx").write_text(INFLUX)
    (programs / "influx").chmod(0o755)
    for service in ("ingest", "exporter", "grafana"):
        (folder / service).mkdir(exist_ok=True)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "ASKED": str(folder / "asked"), "FOOTFALL_TOKENS": str(folder),
        "DOCKER_INFLUXDB_INIT_ORG": "footfall", "DOCKER_INFLUXDB_INIT_BUCKET": "footfall", **variables,
    }  # fmt: skip
    script = ROOT / "deploy" / "influxdb" / "10-tokens.sh"
    return subprocess.run([str(script)], env=environment, capture_output=True, text=True, check=False)


def asked(folder: Path) -> dict[str, list[str]]:
    """Return what InfluxDB was asked to let each service do."""
    lines = [line for line in (folder / "asked").read_text().splitlines() if line.startswith("auth create")]
    return {
        line.partition("--description footfall ")[2].split()[0]: sorted(
            word for word in line.split() if word in ("--read-bucket", "--write-bucket")
        )
        for line in lines
    }


def test_each_service_may_do_only_what_it_needs(tmp_path: Path) -> None:
    """Ingest writes, and looks whether InfluxDB lost anything; the exporter writes deliveries; Grafana reads."""
    done = make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0")
    assert not done.returncode, done.stderr
    assert asked(tmp_path) == {
        "grafana": ["--read-bucket"],
        "exporter": ["--read-bucket", "--write-bucket"],
        "ingest": ["--read-bucket", "--write-bucket"],
    }
    assert "--write-bucket b0b0" in (tmp_path / "asked").read_text()
    tokens = {path.name: path.read_text().strip() for path in tmp_path.glob("*/*_influxdb_token")}
    assert sorted(tokens) == [f"{name}_influxdb_token" for name in ("exporter", "grafana", "ingest")]
    assert len(set(tokens.values())) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o440 for path in tmp_path.glob("*/*_influxdb_token"))
    assert not any(token in done.stdout + done.stderr for token in tokens.values()), "logs hold no secret"


def test_token_that_was_lost_is_made_anew_and_the_others_stay(tmp_path: Path) -> None:
    """Run by hand at any later time, when the image no longer tells the bucket's id."""
    make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0")
    before = {path: path.read_text() for path in tmp_path.glob("*/*_influxdb_token")}
    lost = tmp_path / "exporter" / "exporter_influxdb_token"
    lost.unlink()
    assert not make_tokens(tmp_path).returncode
    assert {path for path in before if path.read_text() != before[path]} == {lost}
    assert "--read-bucket b1b2 --write-bucket b1b2" in (tmp_path / "asked").read_text().splitlines()[-1]


def test_new_influxdb_gets_new_tokens(tmp_path: Path) -> None:
    """Its volume was lost: it knows none of the tokens that are there."""
    make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0")
    before = {path: path.read_text() for path in tmp_path.glob("*/*_influxdb_token")}
    assert not make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="c0c0").returncode
    assert all(path.read_text() != token for path, token in before.items())


def test_influxdb_that_makes_no_token_fails_the_first_start(tmp_path: Path) -> None:
    """The image then forgets its set-up and tries again at the next start."""
    assert make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0", BREAKS="1").returncode
    assert not list(tmp_path.glob("*/*_influxdb_token*"))
