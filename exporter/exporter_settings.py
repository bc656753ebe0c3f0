"""Settings of the exporter, from footfall.toml and the environment: destinations, and profiles beside them."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from exporter.dates import SAMPLE_DAYS
from exporter.destinations.sftp_settings import SftpSettings, parse_host_key
from exporter.profile import Profile, load_profiles
from footfall.environment import Environment, password_variable
from footfall.errors import ConfigError
from footfall.registry import Registry, TopTable, load_registry
from footfall.setting_kinds import FILE, FLAG, TEXT, TEXTS, Kind, choice, whole
from footfall.settings import ConfigFile, Table, optional, setting
from footfall.store.influx_settings import InfluxConfig, InfluxTable, load_influx_config

SECRET_FILES = ("key_file", "key_passphrase_file", "password_file")


@dataclass(frozen=True)
class FolderSettings:
    """A folder destination. ``mounted``: write only while something is mounted there."""

    name: str
    folder: Path
    mounted: bool = False


def _parse_host_keys(value: object) -> tuple[str, ...]:
    lines = TEXTS.parse(value)
    for line in lines:
        parse_host_key(line)
    return lines


@dataclass(frozen=True, kw_only=True)
class ExporterTable(Table):
    """The daemon that delivers each day's file."""

    PATH = "exporter"
    look_every_s: int = setting(whole(1, 3600, "seconds"), "How often the exporter looks for days to deliver.", 30)


@dataclass(frozen=True, kw_only=True)
class DestinationTable(Table):
    """Where files go. The setting `folder` is for both kinds, `mounted` for `folder`, all others for `sftp`."""

    PATH = "destinations.NAME"
    kind: str = setting(choice("sftp", "folder"), "`sftp` for a server, or `folder` for a mounted share.", "sftp")
    folder: str | None = optional(FILE, "Folder for the files.", absent='`"."`; required for `folder`', example="in")
    mounted: bool = setting(
        FLAG, "Write nothing unless something is mounted at `folder` or above it.", FolderSettings.mounted
    )
    host: str | None = optional(TEXT, "Name or address.", absent="required for `sftp`", example="sftp.example.org")
    port: int = setting(whole(1, 65535), "Port of the server.", SftpSettings.port)
    user: str | None = optional(TEXT, "User to log in as.", absent="required for `sftp`", example="footfall")
    host_key: tuple[str, ...] | None = optional(
        Kind("a host key or a list of them", _parse_host_keys),
        "Key of the server. Without it, every server is refused, and `footfall doctor` shows the server's key.",
        example="ssh-ed25519 AAAA...",
    )
    key_file: str | None = optional(FILE, "Private key to log in with.", example="data/id_ed25519")
    key_passphrase_file: str | None = optional(
        FILE, "File with the passphrase of `key_file`.", example="data/passphrase"
    )
    password_file: str | None = optional(FILE, "File whose first line is the password.", example="data/sftp-password")
    agent: bool = setting(FLAG, "Log in with the keys of the running SSH agent.", SftpSettings.use_agent)
    deadline_s: int = setting(
        whole(5, 3600, "seconds"), "How long one delivery may take.", int(SftpSettings.deadline_s)
    )


DestinationSettings = SftpSettings | FolderSettings


@dataclass(frozen=True, kw_only=True)
class ExporterConfig(ExporterTable):
    """The exporter's whole configuration: the table [exporter], and values that depend on other tables.

    ``secret_files`` hold the credentials for destinations and InfluxDB. ``influx`` is None if InfluxDB is not
    configured, ``read_influx`` if the exporter reads the journal.
    """

    path: Path
    data: Path
    registry: Registry
    profiles: dict[str, Profile]
    destinations: dict[str, DestinationSettings]
    secret_files: tuple[Path, ...]
    influx: InfluxConfig | None
    read_influx: InfluxConfig | None

    def profile(self, name: str | None) -> Profile:
        """Return the profile called *name*, or the only one. Raises ConfigError."""
        have = ", ".join(sorted(self.profiles)) or "none; write a [profiles.NAME] table"
        if name is None and len(self.profiles) == 1:
            return next(iter(self.profiles.values()))
        if name is None:
            raise ConfigError(str(self.path), [f"several profiles: {have}"], hint="choose one: --profile NAME")
        if name not in self.profiles:
            raise ConfigError(str(self.path), [f"unknown profile {name!r}; known: {have}"])
        return self.profiles[name]


def load_exporter_config(config: ConfigFile, environment: Environment) -> ExporterConfig:
    """Return the exporter's configuration. Problems are noted in *config*; call its finish()."""
    top = config.read(TopTable, environment)
    registry = load_registry(config, config.folder / top.data)
    tables = config.named(DestinationTable)
    found = {name: _destination(name, table, config, environment) for name, table in tables.items()}
    destinations = {name: settings for name, settings in found.items() if settings is not None}
    files = [getattr(table, setting) for table in tables.values() for setting in SECRET_FILES]
    files.append(config.read(InfluxTable).token_file)
    profiles = load_profiles(config, registry)
    for name, profile in profiles.items():
        if profile.destination and profile.destination not in tables:
            config.problem(f"profiles.{name}.destination", f"names an unknown destination: {profile.destination!r}")
    config.problems.extend(_overwritten(profiles, destinations))
    influx = load_influx_config(config, environment)
    if top.store == "influxdb" and influx is None:
        config.problem("store", "is influxdb, but influxdb.url is not set")
    return ExporterConfig(
        **vars(config.read(ExporterTable)),
        path=config.path,
        data=config.folder / top.data,
        registry=registry,
        profiles=profiles,
        destinations=destinations,
        secret_files=tuple(config.folder / file for file in files if file),
        influx=influx,
        read_influx=influx if top.store == "influxdb" else None,
    )


def _destination(
    name: str, table: DestinationTable, config: ConfigFile, environment: Environment
) -> DestinationSettings | None:
    where = f"destinations.{name}"
    needed = ("folder",) if table.kind == "folder" else ("host", "user")
    for one in needed:
        if getattr(table, one) is None:
            config.problem(f"{where}.{one}", "is missing")
    if table.kind == "folder":
        return FolderSettings(name, config.folder / (table.folder or ""), table.mounted)
    variable = password_variable(name)
    password = config.secret(environment, variable, f"{where}.password_file", table.password_file)
    passphrase = config.secret(environment, "", f"{where}.key_passphrase_file", table.key_passphrase_file)
    if not (table.key_file or table.agent) and password is None:
        config.problem(where, f"has no way to log in: write key_file, agent or password_file, or set {variable}_FILE")
    if "" in (password, passphrase):
        return None
    return SftpSettings(
        name=name,
        host=table.host or "",
        user=table.user or "",
        port=table.port,
        folder=table.folder or SftpSettings.folder,
        host_keys=table.host_key or (),
        key_file=config.folder / table.key_file if table.key_file else None,
        key_passphrase=passphrase,
        use_agent=table.agent,
        password=password,
        deadline_s=table.deadline_s,
    )


def _overwritten(profiles: Mapping[str, Profile], destinations: Mapping[str, DestinationSettings]) -> Iterator[str]:
    """Yield a problem for each pair of *profiles* that would overwrite each other's files."""
    places: dict[object, list[Profile]] = {}
    for profile in profiles.values():
        if settings := destinations.get(profile.destination or ""):
            places.setdefault(_place(settings), []).append(profile)
    for sharing in places.values():
        if len(sharing) == 1:
            continue  # no need to render a year of names
        names = {profile.name: {profile.file_name_of(day): day for day in SAMPLE_DAYS} for profile in sharing}
        for one, other in combinations(sharing, 2):
            if shared := names[one.name].keys() & names[other.name].keys():
                first = min(shared, key=lambda file_name: names[one.name][file_name])
                where = " and ".join(dict.fromkeys(profile.destination or "" for profile in (one, other)))
                yield (
                    f"profiles {one.name} and {other.name} would both write {first} to {where}; "
                    "put {site} or {profile} into file_name, or give each a folder of its own"
                )


def _place(settings: DestinationSettings) -> object:
    """Return a value that two destinations share if they are the same folder, as far as footfall.toml shows."""
    if isinstance(settings, FolderSettings):
        return posixpath.normpath(settings.folder)  # resolving symlinks would hang with a mount
    return settings.host.lower(), settings.port, settings.user, posixpath.normpath(settings.folder)
