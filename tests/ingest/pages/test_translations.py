"""Every text of the pages is there in every language, with the same places to fill in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from ingest.pages.language import DEFAULT, LANGUAGES

PAGES = Path(__file__).parents[3] / "ingest" / "pages"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")

Text = str | tuple[str, ...]


def marked() -> set[Text]:
    """Return every text that templates and code mark."""
    options = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
    return {message for _, _, message, _, _ in extract_from_dir(PAGES, METHODS, options, KEYWORDS)}


def translated(language: str) -> Iterator[tuple[Text, Text, bool]]:
    with (PAGES / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        for message in read_po(file, locale=language):
            if message.id:
                yield _plain(message.id), _plain(message.string or ""), message.fuzzy


def _plain(text: str | list[str] | tuple[str, ...]) -> Text:
    return text if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != DEFAULT])
def test_every_marked_text_is_translated_and_no_other(language: str) -> None:
    assert {text for text, _, _ in translated(language)} == marked()


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != DEFAULT])
def test_translations_are_done_and_fill_in_the_same_places(language: str) -> None:
    for text, told, is_fuzzy in translated(language):
        assert not is_fuzzy, text
        originals = [text] if isinstance(text, str) else list(text)
        versions = [told] if isinstance(told, str) else list(told)
        assert all(versions), text
        wanted = set(PLACES.findall(originals[-1]))
        for version in versions:
            assert set(PLACES.findall(version)) <= wanted, text
        assert set(PLACES.findall(versions[-1])) == wanted, text


def test_something_is_marked() -> None:
    """The two above would pass if nothing were found."""
    assert len(marked()) > 100
