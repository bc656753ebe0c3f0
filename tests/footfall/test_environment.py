"""The environment: NAME_FILE beats NAME, and a secret that cannot be read is never an empty one."""

from pathlib import Path

import pytest

from footfall.environment import Environment
from footfall.errors import ConfigError


def test_value_is_what_was_set_or_none() -> None:
    environment = Environment({"FOOTFALL_DATA": "/srv/footfall", "FOOTFALL_LISTEN": ""})
    assert environment.value("FOOTFALL_DATA") == "/srv/footfall"
    assert environment.value("FOOTFALL_LISTEN") is None
    assert environment.value("FOOTFALL_CONFIG") is None


def test_file_beats_the_value(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    environment = Environment({"SECRET": "from the variable", "SECRET_FILE": str(tmp_path / "secret")})
    assert environment.value("SECRET") == "from the file"


@pytest.mark.parametrize(
    ("content", "secret"),
    [("word", "word"), ("word\n", "word"), ("word\r\n", "word"), (" a b \nmore\n", " a b "), ("ünïcode", "ünïcode")],
)
def test_secret_is_the_first_line_as_it_stands(tmp_path: Path, content: str, secret: str) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    assert Environment({"SECRET_FILE": str(tmp_path / "secret")}).value("SECRET") == secret


@pytest.mark.parametrize("content", [b"", b"\n", b"\nword\n", b"\xff\xfe"])
def test_file_without_a_secret_fails_loudly_whatever_the_value(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    environment = Environment({"SECRET": "from the variable", "SECRET_FILE": str(tmp_path / "secret")})
    with pytest.raises(ConfigError, match=r"^SECRET_FILE: .*(is empty|cannot be read)") as caught:
        environment.value("SECRET")
    assert caught.value.hint


@pytest.mark.parametrize("name", ["missing", "."])
def test_file_that_cannot_be_read_fails_loudly_whatever_the_value(tmp_path: Path, name: str) -> None:
    environment = Environment({"SECRET": "from the variable", "SECRET_FILE": str(tmp_path / name)})
    with pytest.raises(ConfigError, match=r"^SECRET_FILE: .* cannot be read"):
        environment.value("SECRET")


def test_password_of_a_destination_has_its_name_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("two")
    environment = Environment(
        {"FOOTFALL_PASSWORD_CITY_HALL": "one", "FOOTFALL_PASSWORD_ALLIANCE_FILE": str(tmp_path / "secret")}
    )
    assert environment.password_of("city-hall") == "one"
    assert environment.password_of("alliance") == "two"
    assert environment.password_of("other") is None


def test_process_environment_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_DATA", "/srv/footfall")
    assert Environment().value("FOOTFALL_DATA") == "/srv/footfall"
