"""Every destination keeps the contract of Destination, on a real folder and a real server."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporter.destinations.destination import Destination
from exporter.destinations.folder import FolderDestination
from exporter.destinations.sftp import SftpDestination
from exporter.destinations.sftp_settings import SftpSettings
from footfall.errors import DeliveryError
from tests.support.deliveries import NAME, NEW, OLD, PART, ROW, names_in
from tests.support.sftp_server import SftpServer, make_key, public_line
from tests.support.sshd import running_sshd

BIG_OLD, BIG_NEW = OLD * 10, NEW * 10


@dataclass(frozen=True)
class Place:
    """A destination, the local folder where its files land, and a destination whose folder is missing."""

    destination: Destination
    folder: Path
    astray: Destination


@pytest.fixture(params=["folder", "asyncssh", "sshd"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "in"
    folder.mkdir()
    match request.param:
        case "folder":
            yield Place(FolderDestination("a", folder), folder, FolderDestination("a", folder / "missing"))
        case "asyncssh":
            with SftpServer(folder, password="secret") as server:
                yield _sftp_place(folder, server.port, server.user, server.host_key_lines, password="secret")
        case _:
            key = make_key("ssh-ed25519")
            key.write_private_key(tmp_path / "key")
            with running_sshd(folder, tmp_path, authorized_keys=[public_line(key)]) as sshd:
                yield _sftp_place(folder, sshd.port, sshd.user, sshd.host_key_lines, key_file=tmp_path / "key")


def _sftp_place(
    folder: Path,
    port: int,
    user: str,
    host_keys: tuple[str, ...],
    *,
    password: str | None = None,
    key_file: Path | None = None,
) -> Place:
    def at(remote_folder: str) -> Destination:
        return SftpDestination(
            SftpSettings(
                name="a",
                host="127.0.0.1",
                port=port,
                user=user,
                folder=remote_folder,
                host_keys=host_keys,
                password=password,
                key_file=key_file,
            )
        )

    return Place(at("."), folder, at("missing"))


class TestDestination:
    def test_first_delivery_leaves_the_file_and_nothing_else(self, place: Place) -> None:
        delivered = place.destination.deliver(NAME, ROW)
        assert (place.folder / NAME).read_bytes() == ROW
        assert names_in(place.folder) == {NAME}
        assert (Path(delivered.path).name, delivered.size, delivered.verified, delivered.note) == (
            NAME,
            len(ROW),
            True,
            "",
        )

    def test_second_delivery_replaces_the_first(self, place: Place) -> None:
        place.destination.deliver(NAME, OLD)
        place.destination.deliver(NAME, ROW)
        assert (place.folder / NAME).read_bytes() == ROW
        assert names_in(place.folder) == {NAME}

    def test_same_delivery_again_changes_nothing(self, place: Place) -> None:
        first = place.destination.deliver(NAME, ROW)
        assert place.destination.deliver(NAME, ROW) == first
        assert (place.folder / NAME).read_bytes() == ROW

    def test_empty_content_makes_an_empty_file(self, place: Place) -> None:
        assert place.destination.deliver(NAME, b"").size == 0
        assert (place.folder / NAME).read_bytes() == b""

    def test_two_megabytes_arrive_whole(self, place: Place) -> None:
        content = bytes(range(256)) * 8192
        assert place.destination.deliver(NAME, content).verified
        assert (place.folder / NAME).read_bytes() == content

    def test_file_name_may_be_in_any_script(self, place: Place) -> None:
        place.destination.deliver("médiathèque_día_図書館 1.csv", ROW)
        assert names_in(place.folder) == {"médiathèque_día_図書館 1.csv"}

    def test_part_file_of_a_broken_attempt_is_removed(self, place: Place) -> None:
        (place.folder / PART).write_bytes(OLD)
        place.destination.deliver(NAME, ROW)
        assert (place.folder / NAME).read_bytes() == ROW
        assert names_in(place.folder) == {NAME}

    def test_other_files_in_the_folder_are_left_alone(self, place: Place) -> None:
        (place.folder / "03_05_2026_counterdata-1.csv").write_bytes(b"yesterday")
        place.destination.deliver(NAME, ROW)
        assert (place.folder / "03_05_2026_counterdata-1.csv").read_bytes() == b"yesterday"

    def test_reader_never_sees_half_a_file(self, place: Place) -> None:
        place.destination.deliver(NAME, BIG_OLD)
        seen: set[int] = set()
        torn: list[int] = []
        watching, delivered = threading.Event(), threading.Event()

        def watch() -> None:
            last = False
            while not last:
                last = delivered.wait(0.001)
                content = (place.folder / NAME).read_bytes()
                seen.add(len(content))
                if content not in {BIG_OLD, BIG_NEW}:
                    torn.append(len(content))
                watching.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        watching.wait()
        place.destination.deliver(NAME, BIG_NEW)
        delivered.set()
        watcher.join()
        assert torn == []
        assert seen == {len(BIG_OLD), len(BIG_NEW)}

    def test_missing_folder_is_reported_and_never_created(self, place: Place) -> None:
        with pytest.raises(DeliveryError) as caught:
            place.astray.deliver(NAME, ROW)
        assert caught.value.message.startswith(f"deliver {NAME} to ")
        assert "folder" in caught.value.message
        assert caught.value.hint
        assert names_in(place.folder) == set()

    @pytest.mark.parametrize("file_name", ["../up.csv", "a/b.csv", "a\\b.csv", "", ".", "..", "a\nb.csv", "a\0b.csv"])
    def test_name_that_leaves_the_folder_is_refused(self, place: Place, file_name: str) -> None:
        with pytest.raises(DeliveryError, match="not a plain file name") as caught:
            place.destination.deliver(file_name, ROW)
        assert caught.value.permanent
        assert names_in(place.folder) == set()

    def test_check_says_what_it_found_and_writes_nothing(self, place: Place) -> None:
        assert "exists" in place.destination.check()
        assert names_in(place.folder) == set()

    def test_check_of_a_missing_folder_says_what_to_do(self, place: Place) -> None:
        with pytest.raises(DeliveryError, match="folder") as caught:
            place.astray.check()
        assert caught.value.hint
