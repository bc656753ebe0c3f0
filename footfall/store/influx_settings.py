"""What Footfall is told of InfluxDB by footfall.toml and the environment."""

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from footfall.environment import INFLUXDB_BUCKET, INFLUXDB_ORG, INFLUXDB_TOKEN, INFLUXDB_URL, Environment, read_secret
from footfall.errors import ConfigError
from footfall.settings import ConfigFile, Setting, Table

TABLE = "influxdb"
INFLUX_SETTINGS = (
    Setting("url", '`"http://127.0.0.1:8086"`; while it is set, ingest writes everything to that InfluxDB too', "none"),
    Setting("org", "the organization, as 2.x and Cloud name it; others take any", '"footfall"'),
    Setting("influx_bucket", "the bucket: of 1.8 and 3.x the database, or `database/policy`", '"footfall"'),
    Setting("token_file", "a file that holds the token, where the environment does not", "none"),
    Setting("timeout_s", "how long a request may take, seconds", "10"),
    Setting("ca_file", "https: trust the certificates that this file signs, and no others", "the system's"),
)


@dataclass(frozen=True)
class InfluxConfig:
    """Where InfluxDB is, and how to be let in. ``url`` has no slash at its end."""

    url: str
    org: str
    influx_bucket: str
    token: str = field(repr=False)
    timeout_s: int = 10
    ca_file: Path | None = None


def load_influx_config(config: ConfigFile, environment: Environment) -> InfluxConfig | None:
    """Return where InfluxDB is; None where no url is set. Problems are noted in *config*, for the caller to finish().

    The environment beats footfall.toml.
    """
    table = config.table(TABLE, INFLUX_SETTINGS)
    ca_file = table.optional_text("ca_file")
    token_file = table.optional_text("token_file")
    token = _token(table, token_file, config, environment)
    given = {name: _given(name, config, environment) for name in (INFLUXDB_URL, INFLUXDB_ORG, INFLUXDB_BUCKET)}
    written = table.optional_text("url")
    found = InfluxConfig(
        url=_url(given[INFLUXDB_URL] or written or "", INFLUXDB_URL if given[INFLUXDB_URL] else "influxdb.url", config),
        org=given[INFLUXDB_ORG] or table.text("org", "footfall"),
        influx_bucket=given[INFLUXDB_BUCKET] or table.text("influx_bucket", "footfall"),
        token=token or "",
        timeout_s=table.whole("timeout_s", 10, 1, 300),
        ca_file=config.folder / ca_file if ca_file else None,
    )
    if not found.url:
        return None
    if token == "":
        table.problem(
            "", f"has no token: write token_file, or set {INFLUXDB_TOKEN}_FILE (any text where InfluxDB asks for none)"
        )
    if found.ca_file and not found.ca_file.is_file():
        table.problem("ca_file", f"is no file: {found.ca_file}")
    return found


def influx_secret_files(config: ConfigFile) -> list[str]:
    """Return the files that hold what InfluxDB is logged in with, as footfall.toml names them, there or not."""
    token_file = config.table(TABLE, INFLUX_SETTINGS).optional_text("token_file")
    return [token_file] if token_file else []


def goes_in_the_clear(url: str) -> bool:
    """Return whether a token sent to *url* can be read on its way: no TLS, and not only within a private network.

    Looks the host's name up; a name that is not known now tells nothing.
    """
    parsed = parse_url(url)
    if parsed.scheme != "http" or not parsed.host:
        return False
    try:
        found = socket.getaddrinfo(parsed.host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return not all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_private for one in found)


def _url(text: str, source: str, config: ConfigFile) -> str:
    """Return *text* as the address of a server, or "" after noting what is wrong with it."""
    if not text:
        return ""
    try:
        parsed = parse_url(text)
    except LocationParseError:
        parsed = parse_url("")
    if parsed.scheme not in ("http", "https") or not parsed.host or not text.isprintable() or " " in text:
        config.problems.append(f'{source} must be an address like "http://127.0.0.1:8086"')
    elif parsed.auth or parsed.query or parsed.fragment:
        config.problems.append(f"{source} must have no user, query or fragment; the token stands elsewhere")
    return text.rstrip("/")


def _given(name: str, config: ConfigFile, environment: Environment) -> str:
    """Return what the environment says of *name*, "" where it says nothing or cannot be read."""
    try:
        return environment.value(name) or ""
    except ConfigError as exc:
        config.problems.append(str(exc))
        return ""


def _token(table: Table, path: str | None, config: ConfigFile, environment: Environment) -> str | None:
    """Return the token, "" where none is set, or None after noting why it cannot be read."""
    try:
        found = environment.value(INFLUXDB_TOKEN)
        if found is None and path is not None:
            found = read_secret(config.folder / path, source=f"{table.path}.token_file")
    except ConfigError as exc:
        config.problems.append(str(exc))
        return None
    return found or ""
