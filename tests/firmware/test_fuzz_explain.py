"""The detector's search, compared with an exhaustive one."""

import subprocess

import pytest

from tests.support.firmware import program


@pytest.mark.parametrize("seed", [1, 2])
def test_search_finds_what_an_exhaustive_search_finds(seed: int) -> None:
    """Groups that Explanation skips could not win, and results that it reuses are still right."""
    command = [str(program("fuzz_explain", sanitize=True)), "5000", str(seed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "all the cheapest" in ended.stdout
