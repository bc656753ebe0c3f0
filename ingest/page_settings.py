"""What the pages are told by footfall.toml and the environment."""

from dataclasses import dataclass

from footfall.environment import PAGES_PASSWORD, Environment
from footfall.errors import ConfigError
from footfall.settings import ConfigFile, Setting

PAGES_SETTINGS = (
    Setting("nearly_full", "from which part of the capacity on a site is nearly full, percent", "85"),
    Setting("display_open", "show `/display` without the password, where one is set", "true"),
)


@dataclass(frozen=True)
class PagesConfig:
    """``password`` is None where anybody who reaches the server may look."""

    nearly_full_percent: int
    display_open: bool
    password: str | None


def load_pages_config(config: ConfigFile, environment: Environment) -> PagesConfig:
    """Return the pages' configuration; problems are noted in *config*."""
    table = config.table("ingest.pages", PAGES_SETTINGS)
    password = None
    try:
        password = environment.value(PAGES_PASSWORD)
    except ConfigError as exc:
        config.problems.append(str(exc))
    return PagesConfig(
        nearly_full_percent=table.whole("nearly_full", 85, 1, 100),
        display_open=table.flag("display_open", True),
        password=password,
    )
