"""Profiles as footfall.toml gives them, without a file."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from exporter.exporter_settings import ExporterConfig, load_exporter_config
from exporter.profile import Profile
from footfall.environment import Environment
from footfall.errors import ConfigError
from footfall.settings import ConfigFile

COUNTER = '[counters.{id}]\nsite = "alliance"\nname = "Counter {letter}"\nlocation = "RDCentre"\n{more}\n'


def counter_table(number: int, more: str = "") -> str:
    """Return the table of counter ALLI1, ALLI2 ...; *more* is further settings of it."""
    return COUNTER.format(id=f"ALLI{number}", letter="?ABCDEFGHI"[number], more=more)


TWO_COUNTERS = counter_table(1) + counter_table(2)


def site_table(zone: str = "Europe/Paris", hours: str = "08:00-19:00") -> str:
    """Return the table of the site alliance."""
    return f'[sites.alliance]\nname = "Alliance"\ncode = "ALLI"\ntimezone = "{zone}"\nhours = "{hours}"\n'


def read_exporter(text: str) -> ExporterConfig:
    """Return the exporter's configuration in *text*, a footfall.toml. Raises ConfigError."""
    config = ConfigFile(Path("/nowhere/footfall.toml"), tomllib.loads(text))
    found = load_exporter_config(config, Environment({}))
    config.finish()
    return found


def read_profile(
    *settings: str, zone: str = "Europe/Paris", hours: str = "08:00-19:00", counters: str = TWO_COUNTERS
) -> Profile:
    """Return the profile `alliance` with *settings*, each a line of TOML, for all *counters* of the site."""
    lines = "\n".join(settings)
    text = f'{site_table(zone, hours)}{counters}[profiles.alliance]\nsite = "alliance"\n{lines}\n'
    return read_exporter(text).profile("alliance")


def problems_of(text: str) -> Iterable[str]:
    """Return the problems of *text*, a footfall.toml that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        read_exporter(text)
    return caught.value.problems
