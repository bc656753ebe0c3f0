"""Random edges through the detector, with the sanitizers watching."""

import subprocess

import pytest

from tests.support.firmware import program


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_edges_break_nothing(seed: int) -> None:
    """150,000 edges per seed under ASan and UBSan violate nothing."""
    command = [str(program("fuzz_edges", sanitize=True)), "150000", str(seed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "no violations" in ended.stdout
