"""The fake destination that jobs are tested with keeps the contract of real ones."""

from pathlib import Path

import pytest

from exporter.destinations.destination import Destination
from footfall.errors import DeliveryError
from tests.exporter.destinations.test_destination_contract import Place, TestDestination
from tests.support.deliveries import NAME, NEW, OLD, names_in
from tests.support.destinations import Fault, FaultyDestination

__all__ = ["TestDestination"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "in"
    folder.mkdir()
    kept: Destination = FaultyDestination("a", folder)
    return Place(kept, folder, FaultyDestination("a", folder / "missing"))


@pytest.mark.parametrize(
    ("fault", "permanent", "left"), [("transient", False, OLD), ("permanent", True, OLD), ("after storing", False, NEW)]
)
def test_fault_leaves_the_whole_old_file_or_the_whole_new_one(
    place: Place, fault: Fault, permanent: bool, left: bytes
) -> None:
    destination = place.destination
    assert isinstance(destination, FaultyDestination)
    destination.deliver(NAME, OLD)
    destination.fault = fault
    with pytest.raises(DeliveryError, match=f"deliver {NAME} to a: failed on demand") as caught:
        destination.deliver(NAME, NEW)
    assert (caught.value.permanent, bool(caught.value.hint)) == (permanent, True)
    assert (place.folder / NAME).read_bytes() == left
    assert names_in(place.folder) == {NAME}
