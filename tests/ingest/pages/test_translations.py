"""Every text of the pages is translated into every language, with the same placeholders."""

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
PLACEHOLDERS = re.compile(r"%\(\w+\)s|\{\w+\}")

Text = str | tuple[str, ...]


def marked() -> set[Text]:
    """Return every text that templates and code mark for translation."""
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
def test_translations_are_complete_and_use_the_same_placeholders(language: str) -> None:
    for text, translation, is_fuzzy in translated(language):
        assert not is_fuzzy, text
        originals = [text] if isinstance(text, str) else list(text)
        versions = [translation] if isinstance(translation, str) else list(translation)
        assert all(versions), text
        wanted = set(PLACEHOLDERS.findall(originals[-1]))
        for version in versions:
            assert set(PLACEHOLDERS.findall(version)) <= wanted, text
        assert set(PLACEHOLDERS.findall(versions[-1])) == wanted, text


def test_extraction_finds_texts() -> None:
    """The tests above would pass on an empty set."""
    assert len(marked()) > 100
