"""Settings of InfluxDB, from footfall.toml and the environment."""

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from footfall.environment import INFLUXDB_BUCKET, INFLUXDB_ORG, INFLUXDB_TOKEN, INFLUXDB_URL, Environment
from footfall.setting_kinds import FILE, TEXT, Kind, whole
from footfall.settings import ConfigFile, Table, optional, setting


def _parse_url(value: object) -> str:
    text = TEXT.parse(value)
    try:
        parsed = parse_url(text)
    except LocationParseError:
        parsed = parse_url("")
    if parsed.scheme not in ("http", "https") or not parsed.host or " " in text:
        raise ValueError('must be a URL like "http://127.0.0.1:8086"')
    if parsed.auth or parsed.query or parsed.fragment:
        raise ValueError("must have no user, query or fragment; the token has a setting of its own")
    return text.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class InfluxTable(Table):
    """If `url` is set, ingest forwards everything in its journal to this InfluxDB."""

    PATH = "influxdb"
    url: str | None = optional(
        Kind("a URL", _parse_url, stand_in=""),
        "URL of InfluxDB.",
        variable=INFLUXDB_URL,
        example="http://127.0.0.1:8086",
    )
    org: str = setting(
        TEXT, "Organization, for 2.x and Cloud. Other versions ignore it.", "footfall", variable=INFLUXDB_ORG
    )
    influx_bucket: str = setting(
        TEXT, "Bucket. For 1.8 and 3.x, the database, or `database/policy`.", "footfall", variable=INFLUXDB_BUCKET
    )
    token_file: str | None = optional(
        FILE,
        "File whose first line is the token; any text if InfluxDB needs none.",
        absent=f"`{INFLUXDB_TOKEN}`",
        example="data/influxdb-token",
    )
    timeout_s: int = setting(whole(1, 300, "seconds"), "How long a request may take.", 10)
    ca_file: str | None = optional(
        TEXT,
        "File with the certificates to trust for https.",
        absent="the system's certificates",
        example="data/ca.pem",
    )


@dataclass(frozen=True)
class InfluxConfig:
    """Where InfluxDB is, and how to authenticate. ``url`` does not end with a slash."""

    url: str
    org: str
    influx_bucket: str
    token: str = field(repr=False)
    timeout_s: int = InfluxTable.timeout_s
    ca_file: Path | None = None


def load_influx_config(config: ConfigFile, environment: Environment) -> InfluxConfig | None:
    """Return the configuration of InfluxDB; None without a url. Problems are noted in *config*; call its finish()."""
    table = config.read(InfluxTable, environment)
    token = config.secret(environment, INFLUXDB_TOKEN, "influxdb.token_file", table.token_file)
    if table.url is None:
        return None
    if token is None:
        config.problem(
            "influxdb",
            f"has no token: write token_file, or set {INFLUXDB_TOKEN}_FILE (any text if InfluxDB needs none)",
        )
    ca_file = config.folder / table.ca_file if table.ca_file else None
    if ca_file and not ca_file.is_file():
        config.problem("influxdb.ca_file", f"does not exist: {ca_file}")
    return InfluxConfig(table.url, table.org, table.influx_bucket, token or "", table.timeout_s, ca_file)


def goes_in_the_clear(url: str) -> bool:
    """Return whether others can read a token sent to *url*: no TLS, and an address outside private networks.

    Looks up the name of the host; a name that cannot be resolved is not in the clear.
    """
    parsed = parse_url(url)
    if parsed.scheme != "http" or not parsed.host:
        return False
    try:
        found = socket.getaddrinfo(parsed.host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return not all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_private for one in found)
