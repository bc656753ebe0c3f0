"""The detector's explanations, held against those of trying every way to its end."""

import subprocess

import pytest

from tests.support.firmware import program


@pytest.mark.parametrize("seed", [1, 2])
def test_explanation_is_the_one_that_plain_trying_finds(seed: int) -> None:
    """What Explanation leaves out could not win, and what it keeps from the last time is what it would find again."""
    command = [str(program("fuzz_explain", sanitize=True)), "5000", str(seed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "all the cheapest" in ended.stdout
