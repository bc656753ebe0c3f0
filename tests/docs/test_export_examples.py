"""The examples of docs/export-format.md are what the code writes, setting by setting, row by row."""

import re
import tomllib
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import tomlkit

from exporter.dates import render_moment
from exporter.exporter_settings import DestinationTable, load_exporter_config
from exporter.profile import Profile, ProfileTable
from exporter.render import export_buckets, render_export
from footfall.calendar import fold
from footfall.environment import Environment
from footfall.model import QUARTER_MS, Quarter, epoch_ms
from footfall.registry import SiteTable
from footfall.settings import ConfigFile, Table, settings_of
from ingest.ingest_settings import IngestTable, load_ingest_config
from tests.docs.markdown_pages import ROOT, Block, code, page
from tests.support.profiles import counter_table, read_exporter, site_table

EXPORT = page("docs/export-format.md")
DAY = date(2026, 5, 4)
EIGHT_MS = epoch_ms(datetime(2026, 5, 4, 6, tzinfo=UTC))  # 08:00 in Paris
DESTINATION = '[destinations.client]\nkind = "folder"\nfolder = "client"\n'
BASE = site_table() + counter_table(1) + DESTINATION


def rendered(profile: Profile) -> list[str]:
    """Return the file of the page's morning: 12 and 9 from 08:00, a gap from 08:30, 4 and 0 from 09:00, then zeros."""
    quarters = [Quarter("ALLI1", EIGHT_MS + number * QUARTER_MS, 0, 0, QUARTER_MS) for number in range(60)]
    quarters[0] = quarters[0]._replace(entries=12, exits=9)
    quarters[4] = quarters[4]._replace(entries=4)
    known = quarters[:2] + quarters[4:]
    return render_export(profile, DAY, fold(known, export_buckets(profile, DAY))).content.decode().splitlines()


def profile_of(block: Block) -> Profile:
    """Return the profile with an example's settings, for the site and counter of the page."""
    site = "" if "site" in tomllib.loads(block.text) else 'site = "alliance"\n'
    return read_exporter(f"{BASE}[profiles.alliance]\n{site}{block.text}").profile("alliance")


def shown_after(block: Block) -> list[str]:
    """Return the lines of the text block directly after *block*; none if there is none."""
    end = block.line + len(block.text.splitlines()) + 2
    return [line for one in EXPORT.blocks("text") if one.line == end for line in one.text.splitlines()]


EXAMPLES = EXPORT.blocks("toml", "setting")


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: str(block.line))
def test_setting_of_the_page_gives_the_rows_of_the_page(block: Block) -> None:
    """The settings load, and the first rows, or the file's name, are as shown."""
    profile, shown = profile_of(block), shown_after(block)
    if "file_name" in tomllib.loads(block.text):
        assert shown == [profile.file_name_of(DAY)]
    else:
        assert rendered(profile)[: len(shown)] == shown


def test_file_of_the_page_is_the_default_file() -> None:
    """The rows at the top of the page are the first of a file whose profile only names its site."""
    (block,) = EXPORT.blocks("text", "rows")
    profile = read_exporter(f'{BASE}[profiles.alliance]\nsite = "alliance"\n').profile("alliance")
    shown = block.text.splitlines()
    assert rendered(profile)[: len(shown)] == shown
    assert len(rendered(profile)) == 22
    assert rendered(profile)[-1].split(",")[1] == "18:30:00"
    assert profile.file_name_of(DAY) in EXPORT.text


def test_every_profile_setting_has_an_example() -> None:
    """Readers need not guess how to write a setting."""
    shown = {name for block in EXAMPLES for name in tomllib.loads(block.text)}
    assert shown == set(settings_of(ProfileTable))


@pytest.mark.parametrize("block", EXPORT.blocks("text", "golden: "), ids=lambda block: block.marker)
def test_night_of_the_page_is_in_the_golden_file(block: Block) -> None:
    """The rows around the repeated hour are in the golden file, one after the other."""
    golden = ROOT / "tests" / "golden" / block.marker.removeprefix("golden: ")
    assert block.text in golden.read_text(encoding="utf-8")


def test_codes_of_the_page_write_what_it_says() -> None:
    """The first word after each code is its output for 08:00 on 4 May 2026, and each code has its row."""
    found: dict[str, str] = {}
    for row in EXPORT.rows("Settings", "code", "writes"):
        found |= {code(row[place]): row[place + 1] for place in (0, 3)}
    moment = datetime(2026, 5, 4, 8, tzinfo=UTC)
    for pattern, shown in found.items():
        assert render_moment(moment, pattern) == re.split("[ ,:]", shown)[0], pattern
    assert set(found) == {f"%{letter}" for letter in "YymdjHMS%"} | {"%-d"}


def written(table: type[Table]) -> str:
    """Return the lines of TOML that write out every default of *table*."""
    declared = settings_of(table).items()
    return "".join(f"{name} = {tomlkit.item(one.default).as_string()}\n" for name, one in declared if one.default)


def test_documented_defaults_are_what_is_used() -> None:
    """Writing out every default in footfall.toml changes nothing."""
    site = '[sites.s]\nname = "S"\ntimezone = "Europe/Paris"\n'
    sftp = '[destinations.d]\nhost = "h"\nuser = "u"\nhost_key = []\nkey_file = "k"\n'
    plain = f'[ingest]\n{sftp}{site}[profiles.p]\nsite = "s"\n'
    with_defaults = "".join(
        head + written(table)
        for head, table in (
            ("[ingest]\n", IngestTable),
            (sftp, DestinationTable),
            (site, SiteTable),
            ('[profiles.p]\nsite = "s"\n', ProfileTable),
        )
    )
    for load in (load_ingest_config, load_exporter_config):
        found = []
        for text in (plain, with_defaults):
            config = ConfigFile(Path("/nowhere/footfall.toml"), tomllib.loads(text))
            found.append(load(config, Environment({})))
            config.finish()
        for field in fields(found[0]):
            assert getattr(found[0], field.name) == getattr(found[1], field.name), field.name
