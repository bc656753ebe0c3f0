"""The environment, read in this one place. Entry points pass it down.

``NAME_FILE`` names a file that holds the value and beats ``NAME``. A file that cannot be read is an error, never an
empty secret.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from footfall.errors import ConfigError

CONFIG = "FOOTFALL_CONFIG"
DATA = "FOOTFALL_DATA"
LISTEN = "FOOTFALL_LISTEN"
LOG_LEVEL = "FOOTFALL_LOG_LEVEL"
STORE = "FOOTFALL_STORE"
READS = "FOOTFALL_READS"
INFLUXDB_URL = "FOOTFALL_INFLUXDB_URL"
INFLUXDB_TOKEN = "FOOTFALL_INFLUXDB_TOKEN"  # noqa: S105 - the name of a variable, not a secret
INFLUXDB_ORG = "FOOTFALL_INFLUXDB_ORG"
INFLUXDB_BUCKET = "FOOTFALL_INFLUXDB_BUCKET"
PAGES_PASSWORD = "FOOTFALL_PAGES_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
DESTINATION_PASSWORD = "FOOTFALL_PASSWORD_{destination}"  # noqa: S105 - the name of a variable, not a secret

_OVERRIDES = ""
VARIABLES: Mapping[str, str] = {
    CONFIG: "Path of footfall.toml; `./footfall.toml` if not set. `--config` overrides it.",
    DATA: _OVERRIDES,
    LISTEN: _OVERRIDES,
    LOG_LEVEL: "`debug`, `info`, `warning` or `error`; `info` if not set.",
    STORE: _OVERRIDES,
    READS: _OVERRIDES,
    INFLUXDB_URL: _OVERRIDES,
    INFLUXDB_TOKEN: "Token of InfluxDB. Overrides `influxdb.token_file`.",
    INFLUXDB_ORG: _OVERRIDES,
    INFLUXDB_BUCKET: _OVERRIDES,
    PAGES_PASSWORD: "Password of the pages, the reading API and `/metrics`. If not set, they are open.",
    DESTINATION_PASSWORD.format(destination="NAME"): "Password of the destination NAME, in capitals, with `_` for `-`. "
    "Overrides `password_file`.",
}
"""What each variable means. _OVERRIDES: it overrides the setting that declares it."""


class Environment:
    """The variables Footfall was started with."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Use *variables*, or the process's own."""
        self._variables = os.environ if variables is None else variables

    def value(self, name: str) -> str | None:
        """Return the value of *name*, from the file that NAME_FILE names if that is set; None if neither is.

        Raises ConfigError if the file cannot be read or is empty.
        """
        path = self._variables.get(f"{name}_FILE")
        if path:
            return read_secret(Path(path), source=f"{name}_FILE")
        return self._variables.get(name) or None

    def password_of(self, destination: str) -> str | None:
        """Return the password of *destination*, or None if it is not set."""
        return self.value(password_variable(destination))


def password_variable(destination: str) -> str:
    """Return the name of the variable that holds the password of *destination*."""
    return DESTINATION_PASSWORD.format(destination=destination.upper().replace("-", "_"))


def read_secret(path: Path, *, source: str) -> str:
    """Return the first line of the file at *path*. Raises ConfigError, naming *source*, if there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(source, [f"{path} cannot be read: {exc}"], hint="check the path and its permissions") from exc
    if not lines or not lines[0]:
        raise ConfigError(source, [f"{path} is empty"], hint="write the secret on its first line")
    return lines[0]
