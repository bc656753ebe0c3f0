"""The languages of the pages: chosen by the browser, texts from catalogs, numbers and dates as Babel writes them.

Texts stand in English in templates and code, marked for gettext; translations/LANGUAGE/LC_MESSAGES/messages.po has
the others. Catalogs are read from these texts themselves: there is nothing to compile after editing one.
"""

import io
from collections.abc import Callable
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
    """One language: its texts, and how it writes numbers, dates and times. Times are given in the site's zone."""

    code: str
    locale: Locale
    texts: NullTranslations

    def gettext(self, text: str) -> str:
        """Return *text* in this language."""
        return str(self.texts.gettext(text))

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return *one* or *many*, as *number* asks for, in this language."""
        return str(self.texts.ngettext(one, many, number))

    def number(self, value: float) -> str:
        """Return ``1,234`` or ``1 234``; one decimal where it is not whole."""
        return _decimal(value, self.locale)

    def signed(self, value: int) -> str:
        """Return *value* with its sign, ``+12`` or ``-3``."""
        return format_decimal(value, format="+#,##0;-#,##0", locale=self.locale)

    def percent(self, part: float) -> str:
        """Return ``35%`` or ``35 %`` of the part 0.35, rounded down: what is not whole is never written as 100."""
        return format_percent(int(part * 100) / 100, locale=self.locale)

    def share(self, part: float) -> str:
        """Return ``35%`` or ``35 %`` of the part 0.35, rounded to the nearest."""
        return format_percent(part, locale=self.locale)

    def day(self, day: date) -> str:
        """Return the day in full, with its weekday."""
        return format_date(day, "full", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Return the day for a narrow place, ``Mon 4 May``."""
        return format_skeleton("MMMEd", datetime.combine(day, datetime.min.time()), locale=self.locale)

    def month(self, day: date) -> str:
        """Return the month of *day*, ``May 2026``."""
        return format_skeleton("yMMMM", datetime.combine(day, datetime.min.time()), locale=self.locale)

    def weekday(self, number: int) -> str:
        """Return the name of a weekday, 0 Monday, short."""
        return str(self.locale.days["stand-alone"]["abbreviated"][number])

    def time(self, moment_utc: datetime, tz: ZoneInfo, *, seconds: bool = False) -> str:
        """Return the time of day in *tz*, on 24 hours in every language: opening hours are written so."""
        return format_time(moment_utc.astimezone(tz), "HH:mm:ss" if seconds else "HH:mm", locale=self.locale)

    def moment(self, moment_utc: datetime, tz: ZoneInfo) -> str:
        """Return day and time in *tz*."""
        local = moment_utc.astimezone(tz)
        return f"{self.short_day(local.date())}, {self.time(moment_utc, tz)}"


@lru_cache(maxsize=4096)
def _decimal(value: float, locale: Locale) -> str:
    return format_decimal(value, format="#,##0.#", locale=locale)


@lru_cache(maxsize=64)
def language_of(tag: str) -> Language:
    """Return the language of *tag*, whose first part is one of LANGUAGES: ``fr``, ``fr-CA``, ``en-GB``.

    The rest of it decides how dates and numbers are written, where Babel knows it.
    """
    code = tag.partition("-")[0].lower()
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale.parse(code)
    return Language(code, locale, _texts(code))


def wanted() -> Language:
    """Return the language of this request: the first of ours that the browser asks for."""
    found: Language | None = g.get("language")
    if found is None:
        asked = (tag for tag, quality in request.accept_languages if quality > 0)
        tag = next((tag for tag in asked if tag.partition("-")[0].lower() in LANGUAGES), DEFAULT)
        found = g.language = language_of(tag if len(tag) <= _LONGEST_TAG else DEFAULT)
    return found


def _(text: str) -> str:
    """Return *text* in the language of this request."""
    return wanted().gettext(text)


Translate = Callable[[str], str]


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
