"""Every error of paramiko means something to the operator."""

import inspect
import subprocess
import sys

import pytest
from paramiko import ssh_exception

from exporter.destinations.sftp_session import VERDICTS
from exporter.destinations.sftp_verdicts import SftpVerdict

ERRORS = [
    error
    for error in vars(ssh_exception).values()
    if inspect.isclass(error) and issubclass(error, Exception) and error.__module__ == ssh_exception.__name__
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.__name__))
def test_every_error_of_paramiko_has_a_verdict_of_its_own(error: type[Exception]) -> None:
    """A new one fails here: decide whether a retry can help, and add it to VERDICTS."""
    assert error in VERDICTS


@pytest.mark.parametrize("verdict", dict.fromkeys(VERDICTS.values()), ids=lambda verdict: str(verdict.why))
def test_every_verdict_says_why_and_what_to_do(verdict: SftpVerdict) -> None:
    details = {"step": "writing", "detail": "{braces} stay", "user": "u", "host": "h", "folder": "f"}
    assert verdict.why.format_map(details)
    assert verdict.hint.format_map(details)


def test_paramiko_is_not_imported_before_the_first_delivery() -> None:
    """It takes 32 MB of memory."""
    program = (
        "import sys; from exporter.destinations.sftp import SftpDestination; "
        "from exporter.destinations.sftp_settings import SftpSettings; "
        "SftpDestination(SftpSettings(name='a', host='h', user='u')); assert 'paramiko' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
