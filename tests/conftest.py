"""Shared by all tests. With FOOTFALL_REQUIRE_ALL set, as the gate sets it, a skipped test fails."""

import os
from collections.abc import Generator

import pytest
from hypothesis import Phase, settings

from tests.support.influx_fixtures import influx_database, own_influx_server, shared_influx_server

__all__ = ["influx_database", "own_influx_server", "shared_influx_server"]  # fixtures, requested by name

settings.register_profile(  # `make mutants`: the same examples for each mutant, and a failure need not be minimal
    "mutants", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything must run."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("FOOTFALL_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but FOOTFALL_REQUIRE_ALL is set: {report.longrepr}"
    return report
