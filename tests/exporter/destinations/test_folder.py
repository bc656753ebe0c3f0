"""How a mounted folder fails, beyond the contract of every destination."""

import errno
import os
from pathlib import Path

import pytest

from exporter.destinations.folder import FolderDestination
from footfall.errors import DeliveryError
from tests.support.deliveries import NAME, NEW, OLD, names_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_bytes(OLD)
    return tmp_path


def test_missing_folder_may_be_mounted_later(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        FolderDestination("share", tmp_path / "share").deliver(NAME, NEW)
    assert caught.value.message == f"deliver {NAME} to {tmp_path}/share: the folder does not exist"
    assert "mounted" in caught.value.hint
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("code", "why", "permanent"),
    [
        (errno.EACCES, "permission denied", True),
        (errno.EPERM, "permission denied", True),
        (errno.EROFS, "mounted read-only", True),
        (errno.ENOSPC, "no space left", False),
        (errno.EDQUOT, "quota", False),
        (errno.EIO, "Input/output error", False),
        (errno.ESTALE, "Stale file handle", False),
    ],
)
def test_failure_to_store_leaves_the_old_file_and_says_whether_a_retry_can_help(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, why: str, permanent: bool
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)  # where a share first reports that it could not store the data
    with pytest.raises(DeliveryError, match=why) as caught:
        FolderDestination("share", folder).deliver(NAME, NEW)
    assert caught.value.permanent == permanent
    assert caught.value.hint
    assert names_in(folder) == {NAME}
    assert (folder / NAME).read_bytes() == OLD


def test_share_that_cannot_sync_a_folder_still_takes_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112 - asks about a handle
            raise OSError(errno.EINVAL, "cannot sync a folder")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert FolderDestination("share", folder).deliver(NAME, NEW).verified
    assert (folder / NAME).read_bytes() == NEW


def test_mounted_folder_is_written_only_while_the_share_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The empty mount point is a folder like any other: the file would land on this machine, and count as delivered."""
    mounts = {Path("/")}
    monkeypatch.setattr(Path, "is_mount", lambda path: path in mounts)
    folder = tmp_path / "share" / "in"
    folder.mkdir(parents=True)
    destination = FolderDestination("share", folder, mounted=True)
    for act, action in ((destination.check, "check"), (lambda: destination.deliver(NAME, NEW), f"deliver {NAME} to")):
        with pytest.raises(DeliveryError) as caught:
            act()
        assert caught.value.message == f"{action} {folder}: nothing is mounted there"
        assert caught.value.hint.startswith("mount the share; the exporter retries")
        assert not caught.value.permanent
    assert names_in(folder) == set()
    for mount in (folder, folder.parent):
        mounts = {Path("/"), mount}
        assert "exists" in destination.check()
        assert destination.deliver(NAME, NEW).verified


def test_link_to_a_share_is_mounted_if_the_share_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_mount", lambda path: path in {Path("/"), tmp_path / "share"})
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    assert FolderDestination("share", tmp_path / "link", mounted=True).deliver(NAME, NEW).verified


def test_real_mount_point_counts_as_mounted() -> None:
    with pytest.raises(DeliveryError, match="nothing is mounted there"):
        FolderDestination("root", Path("/"), mounted=True).check()
    if not Path("/dev/shm").is_mount():
        pytest.skip("/dev/shm is no mount here: mount -t tmpfs tmpfs /dev/shm")
    assert "exists" in FolderDestination("memory", Path("/dev/shm"), mounted=True).check()


def test_folder_with_the_file_s_name_is_a_permanent_failure(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(DeliveryError, match="a folder has the file's name") as caught:
        FolderDestination("share", tmp_path).deliver(NAME, NEW)
    assert caught.value.permanent
    assert names_in(tmp_path) == {NAME}


def test_file_in_place_of_the_folder_is_a_permanent_failure(folder: Path) -> None:
    destination = FolderDestination("share", folder / NAME)
    for act in (destination.check, lambda: destination.deliver(NAME, NEW)):
        with pytest.raises(DeliveryError, match="it is not a folder") as caught:
            act()
        assert caught.value.permanent


def test_check_of_a_folder_that_is_not_writable_is_a_permanent_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """os.access is replaced: tests may run as root, which may write everywhere."""
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(DeliveryError, match="permission denied") as caught:
        FolderDestination("share", folder).check()
    assert caught.value.permanent
