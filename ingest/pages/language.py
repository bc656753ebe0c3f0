"""The languages of the pages: the browser chooses, catalogs have the texts, Babel formats numbers and dates.

Texts are written in English in templates and code and marked for gettext. The other languages are in
translations/LANGUAGE/LC_MESSAGES/messages.po, which is loaded as is: there is nothing to compile after an edit.
"""

import io
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations
from flask import g, request

DEFAULT = "en"
LANGUAGES = (DEFAULT, "fr")
_LONGEST_TAG = 35  # RFC 5646, section 4.4.1

_FOLDER = Path(__file__).parent / "translations"


@dataclass(frozen=True)
class Language:
    """One language: its texts and its formats of numbers, dates and times."""

    code: str
    locale: Locale
    texts: NullTranslations

    def gettext(self, text: str) -> str:
        """Return *text* in this language."""
        return str(self.texts.gettext(text))

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return *one* or *many*, whichever fits *number*, in this language."""
        return str(self.texts.ngettext(one, many, number))

    def number(self, value: float) -> str:
        """Return ``1,234`` or ``1 234``, with one decimal unless *value* is whole."""
        return _decimal(value, self.locale)

    def signed(self, value: int) -> str:
        """Return *value* with its sign, ``+12`` or ``-3``."""
        return format_decimal(value, format="+#,##0;-#,##0", locale=self.locale)

    def percent(self, part: float) -> str:
        """Return ``35%`` or ``35 %`` for 0.35, rounded down: only 1 is shown as 100."""
        return format_percent(int(part * 100) / 100, locale=self.locale)

    def share(self, part: float) -> str:
        """Return ``35%`` or ``35 %`` for 0.35, rounded to the nearest."""
        return format_percent(part, locale=self.locale)

    def day(self, day: date) -> str:
        """Return the full date with its weekday."""
        return format_date(day, "full", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Return a short date, ``Mon 4 May``."""
        return format_skeleton("MMMEd", datetime.combine(day, datetime.min.time()), locale=self.locale)

    def month(self, day: date) -> str:
        """Return the month of *day*, ``May 2026``."""
        return format_skeleton("yMMMM", datetime.combine(day, datetime.min.time()), locale=self.locale)

    def full_weekday(self, number: int) -> str:
        """Return the name of a weekday (0 Monday), ``Saturday`` or ``samedi``."""
        return str(self.locale.days["stand-alone"]["wide"][number])

    def weekday(self, number: int) -> str:
        """Return the abbreviated name of a weekday (0 Monday), ``Sat``."""
        return str(self.locale.days["stand-alone"]["abbreviated"][number])

    def time(self, moment_utc: datetime, tz: ZoneInfo, *, seconds: bool = False) -> str:
        """Return the time of day in *tz*, on a 24-hour clock as in the opening hours."""
        return format_time(moment_utc.astimezone(tz), "HH:mm:ss" if seconds else "HH:mm", locale=self.locale)

    def moment(self, moment_utc: datetime, tz: ZoneInfo) -> str:
        """Return a short date and the time in *tz*."""
        local = moment_utc.astimezone(tz)
        return f"{self.short_day(local.date())}, {self.time(moment_utc, tz)}"


@lru_cache(maxsize=4096)
def _decimal(value: float, locale: Locale) -> str:
    return format_decimal(value, format="#,##0.#", locale=locale)


@lru_cache(maxsize=64)
def language_of(tag: str) -> Language:
    """Return the language of *tag* (``fr``, ``fr-CA``, ``en-GB``), whose first part must be in LANGUAGES.

    The region selects the formats of dates and numbers if Babel knows it.
    """
    code = tag.partition("-")[0].lower()
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale.parse(code)
    return Language(code, locale, _texts(code))


def request_language() -> Language:
    """Return the language of this request: the browser's most preferred one that we have."""
    found: Language | None = g.get("language")
    if found is None:
        accepted = (tag for tag, quality in request.accept_languages if quality > 0)
        tag = next((tag for tag in accepted if tag.partition("-")[0].lower() in LANGUAGES), DEFAULT)
        found = g.language = language_of(tag if len(tag) <= _LONGEST_TAG else DEFAULT)
    return found


def _(text: str) -> str:
    """Return *text* in the language of this request."""
    return request_language().gettext(text)


@cache
def _texts(code: str) -> NullTranslations:
    path = _FOLDER / code / "LC_MESSAGES" / "messages.po"
    if code == DEFAULT:
        return NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)
