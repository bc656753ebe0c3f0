"""Deliveries to an SFTP server that fails at every step: half a file never has the final name."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from exporter.destinations.sftp import SftpDestination
from footfall.errors import DeliveryError
from tests.support.deliveries import NAME, NEW, OLD, PART, deliver, failed_delivery, names_in, settings_for
from tests.support.sftp_server import Fault, SftpServer, Step, make_key, public_line
from tests.support.sshd import running_sshd

ASIDE = f".{NAME}.old"
STEPS = [Step.OPEN, Step.WRITE, Step.CLOSE, Step.STAT, Step.RENAME]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the server shows to clients."""
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[SftpServer]:
    with SftpServer(folder, password="secret") as server:
        yield server


def test_requests_are_sent_in_the_safe_order(server: SftpServer) -> None:
    deliver(settings_for(server))
    assert [request.operation for request in server.requests] == [
        "remove",
        "open",
        "write",
        "write",
        "write",
        "close",
        "stat",
        "posix-rename",
    ]
    assert server.requests[-1].names == (PART, NAME)


def test_delivery_returns_where_the_file_is(server: SftpServer, folder: Path) -> None:
    (folder / "counts").mkdir()
    assert deliver(settings_for(server, folder="counts")).path == f"counts/{NAME}"
    assert deliver(settings_for(server, folder="/counts")).path == f"/counts/{NAME}"
    assert names_in(folder / "counts") == {NAME}


def test_check_names_server_user_and_folder(server: SftpServer) -> None:
    assert SftpDestination(settings_for(server)).check() == (
        f"127.0.0.1:{server.port} host key matches, logged in as footfall, folder . exists"
    )


def test_check_refuses_a_file_in_place_of_the_folder(server: SftpServer, folder: Path) -> None:
    (folder / "in").write_bytes(b"")
    with pytest.raises(DeliveryError, match="folder in does not exist") as caught:
        SftpDestination(settings_for(server, folder="in")).check()
    assert caught.value.permanent


def test_check_says_if_the_server_does_not_show_the_folder(server: SftpServer) -> None:
    server.faults = (Fault("deny", Step.STAT),)
    assert SftpDestination(settings_for(server)).check().endswith("folder . not checked: the server does not show it")


def test_missing_folder_is_a_permanent_failure(server: SftpServer) -> None:
    error = failed_delivery(settings_for(server, folder="inn"))
    assert "folder inn does not exist" in error.message
    assert error.permanent


@pytest.mark.parametrize("step", [Step.OPEN, Step.RENAME])
def test_permission_denied_is_a_permanent_failure(server: SftpServer, folder: Path, step: Step) -> None:
    server.faults = (Fault("deny", step),)
    error = failed_delivery(settings_for(server))
    assert "permission denied while" in error.message
    assert error.permanent
    assert names_in(folder) == set()


def test_full_disk_leaves_the_old_file_and_is_retried(server: SftpServer, folder: Path) -> None:
    (folder / NAME).write_bytes(OLD)
    server.space = 40_000
    error = failed_delivery(settings_for(server))
    assert "the server failed while writing (No space left on device" in error.message
    assert "disk may be full" in error.hint
    assert not error.permanent
    assert names_in(folder) == {NAME}
    assert (folder / NAME).read_bytes() == OLD


def test_disk_that_is_full_at_the_close_fails_the_delivery(server: SftpServer, folder: Path) -> None:
    server.faults = (Fault("fail", Step.CLOSE, words=b"Disk quota exceeded"),)
    error = failed_delivery(settings_for(server))
    assert "while closing the file (Disk quota exceeded" in error.message
    assert not error.permanent
    assert names_in(folder) == set()


def test_server_that_loses_bytes_fails_the_delivery(server: SftpServer, folder: Path) -> None:
    server.loses_bytes = True
    error = failed_delivery(settings_for(server))
    assert f"{len(NEW)} bytes were acknowledged, but the server holds" in error.message
    assert not error.permanent
    assert names_in(folder) == set()


def test_server_s_message_is_shown_escaped(server: SftpServer) -> None:
    """A terminal would clear its screen, or worse."""
    server.faults = (Fault("fail", Step.OPEN, words=b"\x1b[2Jno\r\nfootfall: all is well"),)
    assert "(\\x1b[2Jno\\r\\nfootfall: all is well (SFTP status 4))" in failed_delivery(settings_for(server)).message


def test_server_s_message_need_not_be_utf_8(server: SftpServer) -> None:
    server.faults = (Fault("fail", Step.OPEN, words="accès refusé".encode("latin-1")),)
    assert "acc\N{REPLACEMENT CHARACTER}s refus" in failed_delivery(settings_for(server)).message


def test_forbidden_stat_is_noted_and_fails_nothing(server: SftpServer, folder: Path) -> None:
    server.faults = (Fault("deny", Step.STAT),)
    delivered = deliver(settings_for(server))
    assert not delivered.verified
    assert "size not checked" in delivered.note
    assert (folder / NAME).read_bytes() == NEW


def test_part_file_that_vanished_is_reported_as_such(server: SftpServer) -> None:
    server.faults = (Fault("no such file", Step.RENAME),)
    error = failed_delivery(settings_for(server))
    assert "the file vanished while renaming" in error.message
    assert not error.permanent


class TestWithoutPosixRename:
    """SFTP 3 alone: a rename that never overwrites."""

    @pytest.fixture(autouse=True)
    def _plain(self, server: SftpServer) -> None:
        server.posix_rename = False

    def test_first_file_is_renamed_in_one_request(self, server: SftpServer, folder: Path) -> None:
        assert deliver(settings_for(server)).note == "the server has no posix-rename"
        assert names_in(folder) == {NAME}

    def test_old_file_is_replaced(self, server: SftpServer, folder: Path) -> None:
        (folder / NAME).write_bytes(OLD)
        deliver(settings_for(server))
        assert (folder / NAME).read_bytes() == NEW
        assert names_in(folder) == {NAME}

    def test_old_file_is_replaced_even_if_stat_is_forbidden(self, server: SftpServer, folder: Path) -> None:
        (folder / NAME).write_bytes(OLD)
        server.faults = (Fault("deny", Step.STAT),)
        assert deliver(settings_for(server)).note == (
            "size not checked: the server does not show it; the server has no posix-rename"
        )
        assert (folder / NAME).read_bytes() == NEW
        assert names_in(folder) == {NAME}

    @pytest.mark.parametrize("nth", [2, 3], ids=["moving the old aside", "moving the new in"])
    def test_old_file_stays_when_a_step_is_refused(self, server: SftpServer, folder: Path, nth: int) -> None:
        (folder / NAME).write_bytes(OLD)
        server.faults = (Fault("fail", Step.RENAME, nth),)
        assert not failed_delivery(settings_for(server)).permanent
        assert (folder / NAME).read_bytes() == OLD
        assert names_in(folder) == {NAME}

    def test_rename_refused_with_nothing_in_the_way_is_reported_as_such(self, server: SftpServer, folder: Path) -> None:
        server.faults = (Fault("fail", Step.RENAME, words=b"no renames today"),)
        assert "no renames today" in failed_delivery(settings_for(server)).message
        assert names_in(folder) == set()

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("cut before", Step.RENAME, 1),
            Fault("cut before", Step.RENAME, 2),
            Fault("cut after", Step.RENAME, 2),
            Fault("cut before", Step.RENAME, 3),
            Fault("cut after", Step.RENAME, 3),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("stale_aside", [False, True], ids=["", "with an older file left aside"])
    def test_connection_cut_between_steps_is_repaired_by_the_next_delivery(
        self, server: SftpServer, folder: Path, fault: Fault, stale_aside: bool
    ) -> None:
        (folder / NAME).write_bytes(OLD)
        if stale_aside:
            (folder / ASIDE).write_bytes(b"older")
        server.faults = (fault,)
        assert not failed_delivery(settings_for(server)).permanent
        if NAME in names_in(folder):
            assert (folder / NAME).read_bytes() in {OLD, NEW}
        server.faults = ()
        deliver(settings_for(server))
        assert (folder / NAME).read_bytes() == NEW
        assert names_in(folder) == {NAME}


@pytest.mark.parametrize("refused", [["posix-rename"], ["stat", "lstat", "fstat"], ["posix-rename", "stat", "remove"]])
def test_openssh_that_denies_some_requests_still_takes_the_file(
    tmp_path: Path, folder: Path, refused: list[str]
) -> None:
    key = make_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key")
    with running_sshd(folder, tmp_path, authorized_keys=[public_line(key)], refused_requests=refused) as sshd:
        server = SftpServer(folder)  # never started: for the shape of its settings
        settings = settings_for(
            server, port=sshd.port, user=sshd.user, host_keys=sshd.host_key_lines, key_file=tmp_path / "key"
        )
        delivered = deliver(settings)
    assert (folder / NAME).read_bytes() == NEW
    assert delivered.verified == ("stat" not in refused)
    assert ("no posix-rename" in delivered.note) == ("posix-rename" in refused)


@pytest.mark.parametrize("cut", ["cut before", "cut after"])
@pytest.mark.parametrize("step", STEPS)
def test_connection_cut_at_any_step_never_shows_half_a_file(
    server: SftpServer, folder: Path, step: Step, cut: Literal["cut before", "cut after"]
) -> None:
    (folder / NAME).write_bytes(OLD)
    server.faults = (Fault(cut, step),)
    error = failed_delivery(settings_for(server))
    assert "the connection broke while" in error.message
    assert not error.permanent
    done = (step, cut) == (Step.RENAME, "cut after")
    assert (folder / NAME).read_bytes() == (NEW if done else OLD)
    server.faults = ()
    deliver(settings_for(server))
    assert (folder / NAME).read_bytes() == NEW
    assert names_in(folder) == {NAME}


@pytest.mark.parametrize("step", [Step.LOGIN, Step.REMOVE, *STEPS])
def test_server_that_hangs_at_any_step_is_given_up_at_the_deadline(
    server: SftpServer, folder: Path, step: Step
) -> None:
    (folder / NAME).write_bytes(OLD)
    server.faults = (Fault("hang", step),)
    error = failed_delivery(settings_for(server, deadline_s=0.4))
    assert "not done within 0.4 s, given up while" in error.message
    assert not error.permanent
    assert (folder / NAME).read_bytes() == OLD
    server.faults = ()
    deliver(settings_for(server))
    assert (folder / NAME).read_bytes() == NEW
    assert [thread for thread in threading.enumerate() if thread.name == "footfall-delivery"] == []


def test_unanswered_request_is_given_up_before_the_deadline(server: SftpServer) -> None:
    server.faults = (Fault("hang", Step.WRITE),)
    assert "no answer while writing" in failed_delivery(settings_for(server, channel_timeout_s=0.5)).message
