"""What the exporter is told by footfall.toml and the environment: profiles and where their files go."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from exporter.dates import SAMPLE_DAYS
from exporter.destinations.sftp_settings import SftpSettings
from exporter.profile import Profile, load_profiles
from footfall.environment import Environment, password_variable, read_secret
from footfall.errors import ConfigError
from footfall.registry import Registry, chosen_store, data_folder, load_registry
from footfall.settings import ConfigFile, Setting, Table
from footfall.store.influx_settings import InfluxConfig, influx_secret_files, load_influx_config

EXPORTER_SETTINGS = (Setting("look_every_s", "how often the exporter looks for what is owed, seconds", "30"),)
DESTINATION_SETTINGS = (
    Setting("kind", "`sftp`, or `folder` for a mounted share", '"sftp"'),
    Setting("folder", "the folder the file goes to; for `sftp` as the server names it; for the kind `folder` it must "
            "be written", '"."'),
    Setting("mounted", "folder: refuse to write while nothing is mounted at `folder` or above it", "false"),
    Setting("host", "sftp: the server's name or address"),
    Setting("port", "sftp: its port", "22"),
    Setting("user", "sftp: who to log in as"),
    Setting("host_key", 'sftp: the server\'s key, `"ssh-ed25519 AAAA..."`, or a list; any other server is refused'),
    Setting("key_file", "sftp: the private key to log in with", "none"),
    Setting("key_passphrase_file", "sftp: a file that holds the passphrase of `key_file`", "none"),
    Setting("password_file", "sftp: a file that holds the password", "none"),
    Setting("agent", "sftp: log in with the keys of the running SSH agent", "false"),
    Setting("deadline_s", "sftp: how long one delivery may take, seconds", "120"),
)  # fmt: skip
SECRET_FILES = ("key_file", "key_passphrase_file", "password_file")


@dataclass(frozen=True)
class FolderSettings:
    """A folder destination of footfall.toml. ``mounted``: files go there only while something is mounted there."""

    name: str
    folder: Path
    mounted: bool = False


DestinationSettings = SftpSettings | FolderSettings


@dataclass(frozen=True)
class ExporterConfig:
    """Everything the exporter needs to know. ``secret_files`` hold what destinations and InfluxDB are logged in with.

    ``influx`` is None where no InfluxDB is set; ``read_influx`` where the counts come from
    the journal.
    """

    path: Path
    data: Path
    registry: Registry
    profiles: dict[str, Profile]
    destinations: dict[str, DestinationSettings]
    look_every_s: int
    secret_files: tuple[Path, ...]
    influx: InfluxConfig | None
    read_influx: InfluxConfig | None

    def profile(self, name: str | None) -> Profile:
        """Return the profile called *name*, or the only one. Raises ConfigError."""
        have = ", ".join(sorted(self.profiles)) or "none; write a [profiles.NAME] table"
        if name is None and len(self.profiles) == 1:
            return next(iter(self.profiles.values()))
        if name is None:
            raise ConfigError(str(self.path), [f"there is not just one profile: {have}"], hint="choose: --profile NAME")
        if name not in self.profiles:
            raise ConfigError(str(self.path), [f"there is no profile {name!r}; there are: {have}"])
        return self.profiles[name]


def load_exporter_config(config: ConfigFile, environment: Environment) -> ExporterConfig:
    """Return the exporter's configuration; problems are noted in *config*, for the caller to finish()."""
    data = data_folder(config, environment)
    registry = load_registry(config, data)
    destinations: dict[str, DestinationSettings] = {}
    secret_files: list[Path] = []
    written = dict(config.named("destinations", DESTINATION_SETTINGS))
    for name, table in written.items():
        named = (table.optional_text(setting) for setting in SECRET_FILES)
        secret_files.extend(config.folder / path for path in named if path)
        settings = _destination(name, table, config, environment)
        if settings is not None:
            destinations[name] = settings
    secret_files.extend(config.folder / path for path in influx_secret_files(config))
    profiles = load_profiles(config, registry)
    config.problems.extend(
        f"profiles.{profile.name}.destination names a destination that is not there: {profile.destination!r}"
        for profile in profiles.values()
        if profile.destination and profile.destination not in written
    )
    config.problems.extend(_overwritten(profiles, destinations))
    table = config.table("exporter", EXPORTER_SETTINGS)
    influx = load_influx_config(config, environment)
    reads_influx = chosen_store(config, environment) == "influxdb"
    if reads_influx and influx is None:
        config.problems.append("store is influxdb, but influxdb.url is not set")
    return ExporterConfig(
        path=config.path,
        data=data,
        registry=registry,
        profiles=profiles,
        destinations=destinations,
        look_every_s=table.whole("look_every_s", 30, 1, 3600),
        secret_files=tuple(secret_files),
        influx=influx,
        read_influx=influx if reads_influx else None,
    )


def _destination(name: str, table: Table, config: ConfigFile, environment: Environment) -> DestinationSettings | None:
    if table.choice("kind", "sftp", ("sftp", "folder")) == "folder":
        return FolderSettings(name, config.folder / table.text("folder"), table.flag("mounted", False))
    key_file = table.optional_text("key_file")
    try:
        password = environment.password_of(name) or _secret(table, "password_file", config)
        passphrase = _secret(table, "key_passphrase_file", config)
        settings = SftpSettings(
            name=name,
            host=table.text("host"),
            user=table.text("user"),
            port=table.whole("port", 22, 1, 65535),
            folder=table.text("folder", "."),
            host_keys=table.texts("host_key", ()),
            key_file=config.folder / key_file if key_file else None,
            key_passphrase=passphrase,
            use_agent=table.flag("agent", False),
            password=password,
            deadline_s=table.whole("deadline_s", 120, 5, 3600),
        )
    except ConfigError as exc:
        config.problems.append(str(exc))
        return None
    except ValueError as exc:
        table.problem("host_key", str(exc))
        return None
    if not (settings.key_file or settings.use_agent or settings.password):
        variable = password_variable(name)
        table.problem("", f"has no way to log in: write key_file, agent or password_file, or set {variable}_FILE")
    return settings


def _overwritten(profiles: Mapping[str, Profile], destinations: Mapping[str, DestinationSettings]) -> Iterator[str]:
    """Yield a problem for each two of *profiles* of which one would overwrite the other's file, evening by evening."""
    places: dict[object, list[Profile]] = {}
    for profile in profiles.values():
        if settings := destinations.get(profile.destination or ""):
            places.setdefault(_place(settings), []).append(profile)
    for sharing in places.values():
        if len(sharing) == 1:
            continue  # the names of a year are not worked out for nothing
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
    """Return what is equal for two destinations whose files land in one folder, as far as footfall.toml can tell."""
    if isinstance(settings, FolderSettings):
        return posixpath.normpath(settings.folder)  # symlinks are not followed: a mount that hangs would hold up all
    return settings.host.lower(), settings.port, settings.user, posixpath.normpath(settings.folder)


def _secret(table: Table, name: str, config: ConfigFile) -> str | None:
    path = table.optional_text(name)
    return read_secret(config.folder / path, source=f"{table.path}.{name}") if path else None
