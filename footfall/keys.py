"""The key file: the keys that each counter may sign with. TOML, mode 0600, separate from footfall.toml on purpose.

    # counter = [newest key, previous key during a rotation]
    ALLI1 = ["whsec_..."]

Ingest refuses a counter without keys. The file is replaced whole, so a reader never sees half of it.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from footfall.errors import ConfigError
from footfall.files import replace_file
from footfall.signing import parse_key

FILE_NAME = "keys.toml"
MOST_KEYS = 2
"""Two, so that the old key stays valid until the device has the new one."""

_HEADING = "# Footfall: the keys that counters sign with. Secret: anyone who can read this file can forge counts."


def read_keys(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the keys of every counter, newest first, as written. A missing file holds none.

    Raises ConfigError with every problem in the file.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(
            str(path), [f"cannot be read: {exc}"], hint="restore it from a backup, or rotate keys"
        ) from exc
    problems: list[str] = []
    keys = {counter: _checked(counter, value, problems) for counter, value in tables.items()}
    if problems:
        raise ConfigError(str(path), problems, hint="correct it, or: footfall counter rotate-key ID")
    return keys


def write_keys(path: Path, keys: Mapping[str, tuple[str, ...]]) -> None:
    """Write *keys* to *path*, whole or not at all, readable only by the owner."""
    lines = [_HEADING]
    for counter in sorted(keys):
        several = ", ".join(f'"{key}"' for key in keys[counter])  # ids and base64 need no escapes
        lines.append(f'"{counter}" = [{several}]')
    replace_file(path, "\n".join(lines) + "\n", 0o600)


def _checked(counter: str, value: object, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        problems.append(f"{counter} must be a list of keys")
        return ()
    if len(value) > MOST_KEYS:
        problems.append(f"{counter} has {len(value)} keys; {MOST_KEYS} are valid at a time")
    for key in value:
        try:
            parse_key(key)
        except ValueError as exc:
            problems.append(f"{counter}: {exc}")
    return tuple(value)
