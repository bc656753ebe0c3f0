"""The volumes of docker compose and the tokens in them. Owners are not tested, because tests may not run as root."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from deploy.prepare import FIRST_INGEST_KEYS, VOLUMES_BY_NAME, prepare_volumes, wait_for
from tests.support.compose import ROOT

INFLUX = """#!/bin/bash
# Stands in for InfluxDB's command line: records its arguments, and answers as `influx auth create --json` does.
echo "$*" >>"$ASKED"
if [ "$1 $2" = "bucket list" ]; then printf 'b1b2\\tfootfall\\tinfinite\\n'; exit; fi
[ -z "${BREAKS:-}" ] || { echo 'Error: failed to create authorization' >&2; exit 1; }
printf '{\\n\\t"id": "0c",\\n\\t"token": "secret-%s==",\\n\\t"userName": "admin"\\n}\\n' "$(wc -l <"$ASKED")"
"""


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A folder with every volume in it, empty."""
    folder = tmp_path / "volumes"
    for name in VOLUMES_BY_NAME:
        (folder / name).mkdir(parents=True)
    return folder


def test_secrets_are_generated_once(volumes: Path) -> None:
    """A second start must keep the passwords of the first."""
    assert prepare_volumes(volumes, owned=False) == 0
    made = {path: path.read_text() for path in volumes.rglob("*") if path.is_file()}
    assert sorted(path.relative_to(volumes).as_posix() for path in made) == [
        "grafana-admin/password", "influxdb-admin/password", "influxdb-admin/token",
    ]  # fmt: skip
    assert len(set(made.values())) == 3
    assert all(len(text.strip()) >= 43 for text in made.values())
    assert prepare_volumes(volumes, owned=False) == 0
    assert {path: path.read_text() for path in made} == made


def test_only_the_owner_and_one_group_can_read_a_volume(volumes: Path) -> None:
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
    """One key file for all: every ingest sees a change by `footfall counter`."""
    prepare_volumes(volumes, owned=False)
    prepare_volumes(volumes, owned=False)
    for name in ("data-2", "data-3"):
        assert (volumes / name / "keys.toml").readlink() == FIRST_INGEST_KEYS
    assert not (volumes / "data" / "keys.toml").exists()


def test_secret_of_an_interrupted_start_is_generated_again(volumes: Path) -> None:
    (volumes / "grafana-admin" / "password.new").write_text("ha")
    prepare_volumes(volumes, owned=False)
    assert len((volumes / "grafana-admin" / "password").read_text().strip()) >= 43
    assert not (volumes / "grafana-admin" / "password.new").exists()


def test_unknown_volume_is_reported(volumes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (volumes / "grafana-typo").mkdir()
    assert prepare_volumes(volumes, owned=False) == 1
    assert "grafana-typo" in capsys.readouterr().err


def test_waiting_for_tokens_reports_the_missing_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    assert not wait_for((token,), 3, lambda _: None)
    assert f"{token}; see: docker compose logs influxdb" in capsys.readouterr().err
    assert wait_for((token,), 3, lambda _: token.write_text("t"))


def make_tokens(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as InfluxDB's image does, with a stand-in for InfluxDB's command line."""
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
    """Return the rights requested for each service."""
    lines = [line for line in (folder / "asked").read_text().splitlines() if line.startswith("auth create")]
    return {
        line.partition("--description footfall ")[2].split()[0]: sorted(
            word for word in line.split() if word in ("--read-bucket", "--write-bucket")
        )
        for line in lines
    }


def test_each_service_gets_only_the_rights_it_needs(tmp_path: Path) -> None:
    """Ingest writes, and reads to notice lost data; the exporter writes deliveries; Grafana only reads."""
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
    assert not any(token in done.stdout + done.stderr for token in tokens.values()), "a token is in the log"


def test_lost_token_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    """Run by hand later, when the image no longer sets the bucket's id."""
    make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0")
    before = {path: path.read_text() for path in tmp_path.glob("*/*_influxdb_token")}
    lost = tmp_path / "exporter" / "exporter_influxdb_token"
    lost.unlink()
    assert not make_tokens(tmp_path).returncode
    assert {path for path in before if path.read_text() != before[path]} == {lost}
    assert "--read-bucket b1b2 --write-bucket b1b2" in (tmp_path / "asked").read_text().splitlines()[-1]


def test_new_influxdb_gets_new_tokens(tmp_path: Path) -> None:
    """Its volume was lost, so it knows none of the old tokens."""
    make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0")
    before = {path: path.read_text() for path in tmp_path.glob("*/*_influxdb_token")}
    assert not make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="c0c0").returncode
    assert all(path.read_text() != token for path, token in before.items())


def test_failure_to_create_a_token_fails_the_first_start(tmp_path: Path) -> None:
    """InfluxDB's image then tries again on the next start."""
    assert make_tokens(tmp_path, DOCKER_INFLUXDB_INIT_BUCKET_ID="b0b0", BREAKS="1").returncode
    assert not list(tmp_path.glob("*/*_influxdb_token*"))
