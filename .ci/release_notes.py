"""Print the changelog of a release; exit with status 1 unless its tag, version and changelog agree.

    python .ci/release_notes.py v1.2.0

The tag must be `v` and the version in pyproject.toml; CHANGELOG.md must have `## [1.2.0] - YYYY-MM-DD` and text below.
"""

import re
import sys
import tomllib
from pathlib import Path


def release_notes(tag: str, root: Path) -> str:
    """Return what CHANGELOG.md in *root* says of the release *tag*. Raises ValueError if it must not be released."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"tag {tag} does not match version {version} in pyproject.toml: tag v{version}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## |^\[|\Z)"
    found = re.search(heading, changelog, flags=re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no text under a heading `## [{version}] - YYYY-MM-DD`")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(release_notes(sys.argv[1], Path.cwd()))
    except ValueError as exc:
        sys.exit(f"release_notes: {exc}")
