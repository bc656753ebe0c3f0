"""Files that are replaced whole keep who they belong to."""

import os
from pathlib import Path

import pytest

from footfall.files import replace_file


def test_file_keeps_its_mode_unless_one_is_given(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    replace_file(path, "one\n", 0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    replace_file(path, "two\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two\n", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("one\n")
    link.symlink_to(real)
    replace_file(link, "two\n", 0o600)
    assert link.is_symlink()
    assert real.read_text() == "two\n"


def test_root_leaves_a_file_to_whom_it_belongs(tmp_path: Path) -> None:
    """`sudo footfall counter add` must not lock the service out of the key file."""
    path = tmp_path / "keys.toml"
    path.write_text("one\n")
    owner = 1234 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    replace_file(path, "two\n", 0o600)
    assert path.stat().st_uid == owner


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("one\n")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "\ud800", 0o600)
    assert path.read_text() == "one\n"
