"""How one client wants its file: a profile of footfall.toml."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.dates import SAMPLE_DAYS, check_format, render_moment
from footfall.calendar import buckets_of, day_bounds, local_instant
from footfall.model import Counter, Hours, Site
from footfall.registry import Registry
from footfall.setting_kinds import CLOCK, FLAG, HOURS, TEXT, TEXTS, Kind, choice, day, valid_if, whole
from footfall.settings import ConfigFile, Table, optional, setting, settings_of

DEFAULT_COLUMNS = ["date", "bucket", "entries", "exits", "id", "name", "location", "site", "code"]
COLUMNS = (*DEFAULT_COLUMNS, "start_utc", "covered")
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
"""The days a file may be for: a typo in a year must not make millions of days owed."""

_DAY_IN_NAME = re.compile(r"\{day:([^{}]*)\}")
_NAME_IN_NAME = re.compile(r"\{(site|code|profile)\}")


def _parse_file_name(value: object) -> str:
    name = TEXT.parse(value)
    for pattern in _DAY_IN_NAME.findall(name):
        check_format(pattern, "Yymdj")
    rest = _NAME_IN_NAME.sub("", _DAY_IN_NAME.sub("", name))
    if "{" in rest or "}" in rest:
        raise ValueError("may have only {day:FORMAT}, {site}, {code} and {profile} in braces")
    if len({_fill_day(name, day) for day in SAMPLE_DAYS}) < len(SAMPLE_DAYS):
        raise ValueError("must contain the whole day, {day:%Y-%m-%d}: two days must not share a file")
    return name


def _fill_day(file_name: str, day: date) -> str:
    return _DAY_IN_NAME.sub(lambda match: render_moment(day, match[1]), file_name)


def _parse_columns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(column in COLUMNS for column in value):
        raise ValueError("must be a list of " + ", ".join(COLUMNS))
    if len(set(value)) < len(value):
        raise ValueError("names a column twice")
    return tuple(value)


def _format(codes: str) -> Kind[str]:
    return Kind("a format", lambda value: check_format(TEXT.parse(value), codes))


def _is_separator(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1 and value not in '"\r\n'


_SEPARATOR: Kind[str] = valid_if(_is_separator, "one character, neither a quote nor a line end")
_LINE_END = Kind("one of lf, crlf", lambda value: LINE_ENDS[choice(*LINE_ENDS).parse(value)])
_DELIVERY_DAY = replace(day(FIRST_DAY, LAST_DAY), stand_in=FIRST_DAY)


@dataclass(frozen=True, kw_only=True)
class FileSettings(Table):
    """The settings of a profile that do not depend on its site."""

    destination: str | None = optional(
        TEXT, "NAME of the `[destinations.NAME]` to deliver to.", absent="`footfall export` only", example="client"
    )
    deliver_from: date | None = optional(
        _DELIVERY_DAY, "First day to deliver.", absent="required with a destination", example=date(2026, 5, 4)
    )
    deliver_at: int = setting(CLOCK, "Local time from which a day is owed, once its hours have ended.", "20:00")
    give_up_at: int = setting(
        CLOCK, "Local time, after `deliver_at`, at which a day stops waiting for late counters.", "12:00"
    )
    redeliver_days: int = setting(whole(0, 366, "days"), "How long after its end a changed day is delivered again.", 7)
    file_name: str = setting(
        Kind("a file name", _parse_file_name),
        "Name of the file. `{day:FORMAT}`, `{site}`, `{code}` and `{profile}` are filled in.",
        "{day:%d_%m_%Y}_counterdata-1.csv",
    )
    columns: tuple[str, ...] = setting(
        Kind("a list of column names", _parse_columns),
        f"Columns and their order, of {', '.join(f'`{name}`' for name in COLUMNS)}.",
        DEFAULT_COLUMNS,
    )
    date_format: str = setting(_format("Yymdj"), "How a date is written.", "%Y-%-m-%-d")
    time_format: str = setting(_format("HMS"), "How a half hour is written.", "%H:%M:%S")
    label: str = setting(choice("start", "end"), "Which end of the half hour is written.", "start")
    repeated_hour: str = setting(
        choice("merge", "separate"), "When clocks go back: one row for both passes, or separate rows.", "merge"
    )
    gap: str = setting(choice("zero", "blank", "omit"), "How a gap is written: 0, empty cells, or no row.", "zero")
    separator: str = setting(_SEPARATOR, "Character between columns.", ",")
    line_end: str = setting(_LINE_END, "Line end.", "lf")
    header: bool = setting(FLAG, "Write the names of the columns as the first line.", False)
    encoding: str = setting(
        choice("utf-8", "utf-8-sig", "latin-1", "cp1252"), "`utf-8-sig` adds the mark that Excel needs.", "utf-8"
    )


@dataclass(frozen=True, kw_only=True)
class ProfileTable(FileSettings):
    """One client's file. [export-format.md](export-format.md) shows what each setting does."""

    PATH = "profiles.NAME"
    site: str = setting(TEXT, "ID of the site whose counters are in the file.")
    counters: tuple[str, ...] | None = optional(
        TEXTS, "IDs of the counters in the file.", absent="every counter of the site", example=["DOOR1"]
    )
    hours: Hours | None = optional(HOURS, "Half hours in the file.", absent="the site's hours", example="08:00-19:00")


@dataclass(frozen=True, kw_only=True)
class Profile(FileSettings):
    """One client's file: its content and format, when and where it goes.

    The ledger identifies a profile by its name, the NAME of ``[profiles.NAME]``. A renamed profile is a new one: every
    day since ``deliver_from`` is owed again.
    """

    name: str
    site: Site
    counters: tuple[Counter, ...]
    hours: Hours

    def file_name_of(self, day: date) -> str:
        """Return the name of the file of *day*."""
        names = {"site": self.site.id, "code": self.site.code, "profile": self.name}
        return _NAME_IN_NAME.sub(lambda match: names[match[1]], _fill_day(self.file_name, day))

    def ends_utc(self, day: date) -> datetime:
        """Return the instant the last bucket of *day* ends."""
        start_utc, end_utc = day_bounds(day, self.site.tz)
        if end_utc - start_utc != timedelta(days=1) and (buckets := buckets_of(day, self.site.tz, self.hours)):
            return buckets[-1].end_utc  # a clock may show closing time twice
        return local_instant(day, self.hours.closes, self.site.tz)

    def due_utc(self, day: date) -> datetime:
        """Return the instant from which *day* is owed: the first ``deliver_at`` after its hours have ended."""
        return _first_after(day, self.deliver_at, self.ends_utc(day), self.site)

    def give_up_utc(self, day: date) -> datetime:
        """Return the instant from which *day* goes out as it is: the first ``give_up_at`` after it is due."""
        return _first_after(day, self.give_up_at, self.due_utc(day), self.site)


def load_profiles(config: ConfigFile, registry: Registry) -> dict[str, Profile]:
    """Return the profiles of *config*, noting problems in it."""
    return {name: _profile(name, table, config, registry) for name, table in config.named(ProfileTable).items()}


def _first_after(day: date, minutes: int, after_utc: datetime, site: Site) -> datetime:
    """Return the first instant, not before *after_utc*, when a clock at *site* shows *minutes* past midnight."""
    while (moment_utc := local_instant(day, minutes, site.tz)) < after_utc:
        day += timedelta(days=1)
    return moment_utc


def _profile(name: str, table: ProfileTable, config: ConfigFile, registry: Registry) -> Profile:
    where = f"profiles.{name}"
    site = registry.sites.get(table.site)
    if site is None:
        if table.site:
            config.problem(f"{where}.site", f"names an unknown site: {table.site!r}")
        site = next(iter(registry.sites.values()), _NOWHERE)
    if table.destination and table.deliver_from is None:
        config.problem(f"{where}.deliver_from", "is missing: write the first day to deliver, like 2026-05-04")
    profile = Profile(
        **{one: getattr(table, one) for one in settings_of(FileSettings)},
        name=name,
        site=site,
        counters=_counters(table, registry, site, config, where),
        hours=table.hours or site.hours,
    )
    _check_texts(profile, config, where)
    return profile


def _counters(
    table: ProfileTable, registry: Registry, site: Site, config: ConfigFile, where: str
) -> tuple[Counter, ...]:
    if table.counters is None:
        return registry.counters_of(site.id)
    known = {counter.id: counter for counter in registry.counters_of(site.id)}
    for name in table.counters:
        if name not in known:
            config.problem(f"{where}.counters", f"names {name!r}, which is not a counter of site {site.id!r}")
    return tuple(counter for counter in known.values() if counter.id in table.counters)


def _check_texts(profile: Profile, config: ConfigFile, where: str) -> None:
    """Note a file that cannot be encoded or has no plain name: now, not on the first evening."""
    texts = [profile.site.name, profile.site.code, profile.separator]
    texts += [text for counter in profile.counters for text in (counter.name, counter.location)]
    for text in texts:
        try:
            text.encode(profile.encoding)
        except UnicodeEncodeError:
            config.problem(f"{where}.encoding", f"cannot write {text!r}; use utf-8")
    sample = profile.file_name_of(SAMPLE_DAYS[0])
    if re.search(r"[/\\\x00-\x1f]", sample) or sample.startswith("."):
        config.problem(
            f"{where}.file_name", f"must be a plain file name, no folder and no dot in front, not {sample!r}"
        )


_NOWHERE = Site("", "", "", ZoneInfo("UTC"), Hours(0, 1440), None, 0)
"""The site of a profile without one, while further problems are collected. It never leaves load_profiles."""
