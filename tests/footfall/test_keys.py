"""The key file: secret, whole or not at all, and checked as a whole."""

import os
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import ConfigError
from footfall.keys import read_keys, write_keys
from footfall.signing import new_key

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@settings(deadline=None)
@given(st.dictionaries(names, st.integers(0, 2)))
def test_keys_are_read_as_they_were_written(numbers: dict[str, int]) -> None:
    written = {name: tuple(new_key() for _ in range(number)) for name, number in numbers.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.toml"
        write_keys(path, written)
        assert read_keys(path) == written


def test_key_file_that_is_not_there_holds_no_keys(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "keys.toml") == {}


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_key_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        write_keys(tmp_path / "keys.toml", {})
    finally:
        os.umask(umask)
    assert mode_of(tmp_path / "keys.toml") == 0o600


@pytest.mark.parametrize("left_over", ["keys.toml", "keys.toml.part"])
def test_key_file_is_secret_even_if_what_was_there_was_not(tmp_path: Path, left_over: str) -> None:
    (tmp_path / left_over).write_text("")
    (tmp_path / left_over).chmod(0o644)
    write_keys(tmp_path / "keys.toml", {"ALLI1": (new_key(),)})
    assert mode_of(tmp_path / "keys.toml") == 0o600


def test_key_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    before = {"ALLI1": (new_key(),)}
    write_keys(tmp_path / "keys.toml", before)
    (tmp_path / "keys.toml.part").mkdir()
    with pytest.raises(OSError, match=r"keys\.toml\.part"):
        write_keys(tmp_path / "keys.toml", {})
    assert read_keys(tmp_path / "keys.toml") == before


def test_nothing_is_left_beside_the_key_file(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys.toml", {"ALLI1": (new_key(),)})
    assert [path.name for path in tmp_path.iterdir()] == ["keys.toml"]


def test_key_file_says_what_it_is(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys.toml", {"ALLI1": (new_key(),)})
    text = (tmp_path / "keys.toml").read_text()
    assert text.startswith("# Footfall: the keys that counters sign with. Secret")
    assert list(tomllib.loads(text)) == ["ALLI1"]


def test_all_problems_of_the_key_file_are_reported_at_once_without_any_key(tmp_path: Path) -> None:
    good = new_key()
    (tmp_path / "keys.toml").write_text(
        f'ALLI1 = ["{good}", "{good}", "{good}"]\nALLI2 = "{good}"\nALLI3 = ["secret"]\nALLI4 = [5]\n'
        f'ALLI5 = ["whsec_short"]\nALLI6 = ["{good}"]\n[ALLI7]\nkey = "{good}"\n'
    )
    with pytest.raises(ConfigError) as caught:
        read_keys(tmp_path / "keys.toml")
    assert caught.value.source == str(tmp_path / "keys.toml")
    assert caught.value.problems == (
        "ALLI1 has 3 keys; 2 are valid at a time",
        "ALLI2 must be a list of keys",
        "ALLI3: a key starts with whsec_",
        "ALLI4 must be a list of keys",
        "ALLI5: a key is base64 after whsec_",
        "ALLI7 must be a list of keys",
    )
    assert good not in caught.value.message


@pytest.mark.parametrize("content", [b"ALLI1 = [", b"\xff", b"\0"])
def test_key_file_that_is_no_toml_is_one_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_keys(tmp_path / "keys.toml")
    assert "rotate keys" in caught.value.hint


def test_key_file_that_cannot_be_opened_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(tmp_path / "keys.toml")
