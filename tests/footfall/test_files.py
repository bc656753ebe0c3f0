"""Files are replaced whole and durably, and keep their owner and mode."""

import contextlib
import errno
import os
import stat
from pathlib import Path

import pytest

from footfall.files import replace_file, sync_folder


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


def test_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "new.csv", b"one\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


def test_part_file_that_was_left_over_lends_neither_mode_nor_content(tmp_path: Path) -> None:
    left_over = tmp_path / "keys.toml.part"
    left_over.write_text("much longer than what comes now")
    left_over.chmod(0o666)
    replace_file(tmp_path / "keys.toml", "one\n", 0o600)
    assert stat.S_IMODE((tmp_path / "keys.toml").stat().st_mode) == 0o600
    assert (tmp_path / "keys.toml").read_text() == "one\n"
    assert not left_over.exists()


def test_disk_has_the_content_before_the_name_and_then_the_name(tmp_path: Path) -> None:
    """Otherwise a power cut could leave an empty file, or the old one after the caller was told of the new."""
    path = tmp_path / "keys.toml"
    path.write_text("old\n")
    synced: list[tuple[str, bytes]] = []

    def watch(descriptor: int) -> None:
        os.fsync(descriptor)
        found = os.fstat(descriptor)
        is_folder = os.path.samestat(found, tmp_path.stat())
        written = b"" if is_folder else Path(f"/proc/self/fd/{descriptor}").read_bytes()
        synced.append(("folder" if is_folder else "file", written + b"|" + path.read_bytes()))

    replace_file(path, "new\n", sync=watch)
    assert synced == [("file", b"new\n|old\n"), ("folder", b"|new\n")]


@pytest.mark.parametrize("content", ["\ud800", b"new\n"])
def test_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("one\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises((UnicodeEncodeError, OSError)):
        replace_file(path, content, 0o600, full)
    assert path.read_text() == "one\n"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_cannot_be_synced_is_no_failure_where_the_file_system_never_can(tmp_path: Path) -> None:
    """As on some FUSE mounts; a disk that fails is one."""
    for error, fails in ((errno.EINVAL, False), (errno.EIO, True)):

        def refuse(_: int, error: int = error) -> None:
            raise OSError(error, os.strerror(error))

        with pytest.raises(OSError, match="error") if fails else contextlib.nullcontext():
            sync_folder(tmp_path, refuse)
