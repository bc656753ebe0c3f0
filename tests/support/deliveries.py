"""A day's file, old and new, and settings for the SFTP server of the tests."""

import dataclasses
from pathlib import Path

import pytest

from exporter.destinations.destination import DeliveredFile
from exporter.destinations.sftp import SftpDestination
from exporter.destinations.sftp_settings import SftpSettings
from footfall.errors import DeliveryError
from tests.support.sftp_server import SftpServer

NAME = "04_05_2026_counterdata-1.csv"
PART = f".{NAME}.part"
ROW = b"2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI\n"
OLD = ROW * 1000
NEW = ROW.replace(b"12", b"13") * 1200  # three blocks of SFTP


def settings_for(server: SftpServer, **changes: object) -> SftpSettings:
    """Return settings with which a delivery to *server* succeeds, but for *changes*."""
    settings = SftpSettings(
        name="alliance",
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        host_keys=server.host_key_lines,
        password=server.password,
    )
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]  # checked by the class itself


def deliver(settings: SftpSettings, content: bytes = NEW) -> DeliveredFile:
    """Deliver *content* as NAME."""
    return SftpDestination(settings).deliver(NAME, content)


def failed_delivery(settings: SftpSettings, content: bytes = NEW) -> DeliveryError:
    """Deliver *content* as NAME, which must fail, and return the error; its message names file and server."""
    with pytest.raises(DeliveryError) as caught:
        deliver(settings, content)
    assert caught.value.message.startswith(f"deliver {NAME} to {settings.address}: ")
    assert caught.value.hint
    return caught.value


def names_in(folder: Path) -> set[str]:
    """Return the names of everything in *folder*, hidden files too."""
    return {path.name for path in folder.iterdir()}
