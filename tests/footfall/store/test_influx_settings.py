"""Where InfluxDB is: from footfall.toml and the environment, with every problem reported at once."""

import tomllib
from pathlib import Path

import pytest

from exporter.exporter_settings import load_exporter_config
from footfall.environment import Environment
from footfall.errors import ConfigError
from footfall.settings import ConfigFile
from footfall.store.influx_settings import InfluxConfig, goes_in_the_clear, load_influx_config
from ingest.ingest_settings import load_ingest_config

WRITTEN = '[influxdb]\nurl = "http://influx:8086/"\n'


def load(text: str, folder: str = "/nowhere", **variables: str) -> InfluxConfig | None:
    config = ConfigFile(Path(folder) / "footfall.toml", tomllib.loads(text))
    found = load_influx_config(config, Environment(variables))
    config.finish()
    return found


def test_without_a_url_there_is_no_influxdb() -> None:
    assert load("") is None
    assert load("[influxdb]\norg = 'a'\n") is None


def test_table_is_read_and_the_rest_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0k3n\n")
    (tmp_path / "ca.pem").write_text("")
    text = WRITTEN + 'token_file = "token"\nca_file = "ca.pem"\ninflux_bucket = "db/rp"\ntimeout_s = 3\n'
    assert load(text, str(tmp_path)) == InfluxConfig(
        "http://influx:8086", "footfall", "db/rp", "t0k3n", 3, tmp_path / "ca.pem"
    )


def test_environment_beats_the_table() -> None:
    variables = {"URL": "https://cloud.example.org", "TOKEN": "t", "ORG": "o", "BUCKET": "b"}
    found = load(
        WRITTEN + 'org = "x"\ninflux_bucket = "y"\n',
        **{f"FOOTFALL_INFLUXDB_{name}": value for name, value in variables.items()},
    )
    assert found == InfluxConfig("https://cloud.example.org", "o", "b", "t")


def test_token_is_not_shown() -> None:
    assert "t0k3n" not in repr(load(WRITTEN, FOOTFALL_INFLUXDB_TOKEN="t0k3n"))


@pytest.mark.parametrize(
    ("text", "variables", "problem"),
    [
        (WRITTEN, {}, "influxdb has no token: write token_file, or set FOOTFALL_INFLUXDB_TOKEN_FILE"),
        (WRITTEN, {"FOOTFALL_INFLUXDB_TOKEN_FILE": "/nowhere/token"}, "FOOTFALL_INFLUXDB_TOKEN_FILE: /nowhere/token"),
        (WRITTEN + 'token_file = "gone"\n', {}, "influxdb.token_file: /nowhere/gone cannot be read"),
        ('[influxdb]\nurl = "influx:8086"\n', {"FOOTFALL_INFLUXDB_TOKEN": "t"}, "influxdb.url must be a URL"),
        ('[influxdb]\nurl = "http://u:p@influx"\n', {"FOOTFALL_INFLUXDB_TOKEN": "t"}, "must have no user"),
        (
            "",
            {"FOOTFALL_INFLUXDB_URL": "nothing", "FOOTFALL_INFLUXDB_TOKEN": "t"},
            "FOOTFALL_INFLUXDB_URL must be a URL",
        ),
        (WRITTEN + 'ca_file = "gone"\n', {"FOOTFALL_INFLUXDB_TOKEN": "t"}, "ca_file does not exist: /nowhere/gone"),
        (WRITTEN + 'bucket = "b"\n', {"FOOTFALL_INFLUXDB_TOKEN": "t"}, "bucket is not a setting; did you mean"),
    ],
)
def test_what_is_wrong_is_told(text: str, variables: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, **variables)
    assert len(caught.value.problems) == 1
    assert problem in caught.value.message


def test_services_choose_what_they_read() -> None:
    """`store` and `ingest.reads`; the environment beats both."""
    text = 'store = "influxdb"\n[ingest]\nreads = "influxdb"\nkeep_days = 30\n' + WRITTEN
    variables = {"FOOTFALL_INFLUXDB_TOKEN": "t"}
    for more, expected in ({}, True), ({"FOOTFALL_STORE": "journal", "FOOTFALL_READS": "journal"}, False):
        config = ConfigFile(Path("/nowhere/footfall.toml"), tomllib.loads(text))
        environment = Environment({**variables, **more})
        exporter, ingest = load_exporter_config(config, environment), load_ingest_config(config, environment)
        config.finish()
        assert ingest.keep_days == 30
        assert exporter.read_influx == ingest.read_influx == (ingest.influx if expected else None)
        assert exporter.influx == ingest.influx == InfluxConfig("http://influx:8086", "footfall", "footfall", "t")


def test_services_refuse_to_read_or_forget_what_no_influxdb_keeps() -> None:
    config = ConfigFile(Path("/nowhere/footfall.toml"), tomllib.loads("[ingest]\nkeep_days = 30\n"))
    environment = Environment({"FOOTFALL_STORE": "influxdb", "FOOTFALL_READS": "influxdb"})
    load_exporter_config(config, environment)
    load_ingest_config(config, environment)
    with pytest.raises(ConfigError) as caught:
        config.finish()
    assert [problem.split(",")[0] for problem in caught.value.problems] == [
        "store is influxdb",
        "ingest.reads is influxdb",
        "ingest.keep_days needs InfluxDB to keep the pruned crossings: influxdb.url is not set",
    ]


def test_choice_that_is_none_is_told() -> None:
    config = ConfigFile(Path("/nowhere/footfall.toml"), {})
    load_exporter_config(config, Environment({"FOOTFALL_STORE": "postgres"}))
    with pytest.raises(ConfigError, match="FOOTFALL_STORE must be one of journal, influxdb"):
        config.finish()


@pytest.mark.parametrize(
    ("url", "open_to_all"),
    [
        ("http://127.0.0.1:8086", False),
        ("http://[::1]:8086", False),
        ("http://192.168.7.7", False),
        ("https://8.8.8.8", False),
        ("http://8.8.8.8:8086", True),
        ("http://no-such-host.invalid", False),
    ],
)
def test_token_over_http_is_in_the_clear_beyond_private_networks(url: str, open_to_all: bool) -> None:
    assert goes_in_the_clear(url) is open_to_all
