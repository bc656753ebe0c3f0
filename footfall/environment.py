"""The one place that reads the environment. What is read here is passed down; nothing else looks.

``NAME_FILE`` names a file that holds the value and beats ``NAME``; a file that cannot be read is an error, never
an empty secret.
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

VARIABLES: Mapping[str, str] = {
    CONFIG: "the path of footfall.toml, instead of ./footfall.toml",
    DATA: "the folder of the journal, the ledger and the key file, instead of `data` in footfall.toml",
    LISTEN: "the address and port ingest listens on, instead of `ingest.listen`",
    LOG_LEVEL: "debug, info, warning or error; info unless set",
    STORE: "`journal` or `influxdb`: what the exporter reads, instead of `store`",
    READS: "`journal` or `influxdb`: what the API and the page read, instead of `ingest.reads`",
    INFLUXDB_URL: "where InfluxDB is, instead of `influxdb.url`",
    INFLUXDB_TOKEN: "InfluxDB's token, instead of the one in `influxdb.token_file`; `FOOTFALL_INFLUXDB_TOKEN_FILE` "
    "names a file that holds it",
    INFLUXDB_ORG: "InfluxDB's organization, instead of `influxdb.org`",
    INFLUXDB_BUCKET: "InfluxDB's bucket, instead of `influxdb.influx_bucket`",
    PAGES_PASSWORD: "the password of the pages and of all figures; none unless set; `FOOTFALL_PAGES_PASSWORD_FILE` "
    "names a file that holds it",
    DESTINATION_PASSWORD.format(destination="NAME"): "the password of the destination NAME, in capitals, `-` as `_`; "
    "`FOOTFALL_PASSWORD_NAME_FILE` names a file that holds it",
}


class Environment:
    """The variables Footfall was started with."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Take *variables*, or the process's own."""
        self._variables = os.environ if variables is None else variables

    def value(self, name: str) -> str | None:
        """Return the value of NAME, read from the file NAME_FILE names if that is set; None if neither is.

        Raises ConfigError when the file cannot be read or is empty.
        """
        path = self._variables.get(f"{name}_FILE")
        if path:
            return read_secret(Path(path), source=f"{name}_FILE")
        return self._variables.get(name) or None

    def password_of(self, destination: str) -> str | None:
        """Return the password of *destination*, or None when the environment holds none."""
        return self.value(password_variable(destination))


def password_variable(destination: str) -> str:
    """Return the name of the variable that holds the password of *destination*."""
    return DESTINATION_PASSWORD.format(destination=destination.upper().replace("-", "_"))


def read_secret(path: Path, *, source: str) -> str:
    """Return the first line of the file at *path*. Raises ConfigError, naming *source*, if there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(source, [f"{path} cannot be read: {exc}"], hint="check the path and who may read it") from exc
    if not lines or not lines[0]:
        raise ConfigError(source, [f"{path} is empty"], hint="write the secret on the file's first line")
    return lines[0]
