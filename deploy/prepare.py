"""Prepares the volumes of `docker compose`: gives each its owner, and generates the passwords.

    prepare --> influxdb  --> tokens --> ingest, exporter, grafana
    (owners,    (creates      (waits
    passwords)  the tokens)   for them)

``prepare`` is the only container that runs as root, for a second and without a network. It never replaces a password.
``tokens`` makes the services wait for their tokens on the first start only: an InfluxDB that is down must not keep
ingest from starting later.
"""

import os
import secrets
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

VOLUMES = Path("/volumes")
TOKENS = tuple(Path(f"/run/tokens/{service}/{service}_influxdb_token") for service in ("ingest", "exporter"))
WAIT_S = 300.0

# User ids, from the Dockerfile (footfall), the images of InfluxDB (1000) and Grafana (472, group 0), and
# docker-compose.yml (caddy).
FOOTFALL, INFLUXDB, GRAFANA, CADDY, ROOT = 10001, 1000, 472, 10002, 0

FIRST_INGEST_KEYS = Path("/run/keys/keys.toml")


@dataclass(frozen=True)
class Volume:
    """A volume: its owner and mode, the secrets to generate in it, and links to files elsewhere.

    With the setgid bit, new files get the volume's group. So InfluxDB can write a token that one other service reads.
    """

    user: int
    group: int
    mode: int
    secrets: tuple[str, ...] = ()
    links: dict[str, Path] = field(default_factory=dict)


VOLUMES_BY_NAME = {
    "config": Volume(FOOTFALL, FOOTFALL, 0o750),
    "delivery": Volume(FOOTFALL, FOOTFALL, 0o700),
    "data": Volume(FOOTFALL, FOOTFALL, 0o700),
    "data-2": Volume(FOOTFALL, FOOTFALL, 0o700, links={"keys.toml": FIRST_INGEST_KEYS}),
    "data-3": Volume(FOOTFALL, FOOTFALL, 0o700, links={"keys.toml": FIRST_INGEST_KEYS}),
    "demo-client": Volume(FOOTFALL, FOOTFALL, 0o700),
    "influxdb-admin": Volume(INFLUXDB, INFLUXDB, 0o500, secrets=("password", "token")),
    "token-ingest": Volume(INFLUXDB, FOOTFALL, 0o2750),
    "token-exporter": Volume(INFLUXDB, FOOTFALL, 0o2750),
    "token-grafana": Volume(INFLUXDB, ROOT, 0o2750),
    "grafana-admin": Volume(GRAFANA, ROOT, 0o500, secrets=("password",)),
    "caddy-data": Volume(CADDY, CADDY, 0o700),
    "caddy-config": Volume(CADDY, CADDY, 0o700),
}


def main(arguments: list[str]) -> int:
    """Run the command in *arguments*, and return the exit status."""
    if arguments == ["volumes"]:
        return prepare_volumes(VOLUMES)
    if arguments == ["tokens"]:
        return 0 if wait_for(TOKENS, WAIT_S, time.sleep) else 1
    print("usage: prepare.py volumes|tokens", file=sys.stderr)
    return 2


def prepare_volumes(folder: Path, owned: bool = True) -> int:
    """Prepare every volume mounted in *folder*. Return 0, or 1 if a volume is unknown.

    *owned* False leaves the owners as they are, for tests without root.
    """
    mounted = sorted(path.name for path in folder.iterdir())
    unknown = [name for name in mounted if name not in VOLUMES_BY_NAME]
    if unknown:
        print(f"unknown volume: {', '.join(unknown)}", file=sys.stderr)
        return 1
    for name in mounted:
        _prepare(folder / name, VOLUMES_BY_NAME[name], owned)
    print(f"prepared: {', '.join(mounted)}")
    return 0


def wait_for(paths: tuple[Path, ...], timeout_s: float, sleep: Callable[[float], object]) -> bool:
    """Return True once all *paths* are readable. After *timeout_s*, print the others and return False."""
    for _ in range(int(timeout_s)):
        if all(os.access(path, os.R_OK) for path in paths):
            return True
        sleep(1)
    missing = ", ".join(str(path) for path in paths if not os.access(path, os.R_OK))
    print(f"not readable after {timeout_s:.0f} s: {missing}; see: docker compose logs influxdb", file=sys.stderr)
    return False


def _prepare(folder: Path, volume: Volume, owned: bool) -> None:
    for name in volume.secrets:
        _make_secret(folder / name, volume, owned)
    for name, target in volume.links.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    if owned:
        os.chown(folder, volume.user, volume.group)
    folder.chmod(volume.mode)  # after chown, which clears the setgid bit
    if stat.S_IMODE(folder.stat().st_mode) != volume.mode:
        raise OSError(f"cannot set mode {volume.mode:o} on {folder}: the container lacks CAP_FSETID")


def _make_secret(path: Path, volume: Volume, owned: bool) -> None:
    """Write 32 random bytes as text to *path*, atomically, unless it exists."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if owned:
        os.chown(draft, volume.user, volume.group)
    draft.rename(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
