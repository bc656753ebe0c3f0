"""The file of simulated crossings is written, read back, and refused with the line that is wrong."""

from pathlib import Path

import pytest

from footfall.errors import FootfallError
from simulator.people import Crossing
from simulator.truth_file import read_truth, write_truth


def test_truth_is_written_and_read_back(tmp_path: Path) -> None:
    crossings = (Crossing("ALLI1", 1_777_874_400_000, 1), Crossing("ALLI2", 1_777_874_401_500, -1))
    write_truth(tmp_path / "truth.csv", crossings)
    assert (tmp_path / "truth.csv").read_text() == (
        "counter,time_epoch_ms,direction\nALLI1,1777874400000,1\nALLI2,1777874401500,-1\n"
    )
    assert read_truth(tmp_path / "truth.csv") == crossings


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "does not start with"),
        ("counter,time_epoch_ms,direction\nALLI1,5,1\nALLI1,6,2\n", "line 3: 'ALLI1,6,2' is not a crossing"),
        ("counter,time_epoch_ms,direction\nALLI1,soon,1\n", "line 2"),
        ("counter,time_epoch_ms,direction\nALLI1,5\n", "line 2"),
    ],
)
def test_error_names_the_file_and_the_line(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(FootfallError, match=complaint):
        read_truth(tmp_path / "truth.csv")


def test_error_says_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(FootfallError, match="cannot read"):
        read_truth(tmp_path / "truth.csv")
    with pytest.raises(FootfallError, match="cannot write"):
        write_truth(tmp_path / "no" / "truth.csv", ())
