"""Shared by all tests. Where CI is set, everything must run: a skipped test is a failure there."""

import os
from collections.abc import Generator

import pytest

from tests.support.influx_server import influx_database, own_influx_server, shared_influx_server

__all__ = ["influx_database", "own_influx_server", "shared_influx_server"]  # fixtures, for whoever asks by name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI, where what a test needs is installed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped in CI: {report.longrepr}"
    return report
