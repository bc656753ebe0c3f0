"""A host key in footfall.toml is parsed and written back."""

import pytest

from exporter.destinations.sftp_settings import SftpSettings, parse_host_key

# GitHub's host key, with the fingerprint that GitHub publishes for it.
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_line_is_parsed_and_written_back_the_same() -> None:
    assert parse_host_key(LINE).line == LINE


def test_fingerprint_is_the_one_that_ssh_keygen_prints() -> None:
    assert parse_host_key(LINE).fingerprint == FINGERPRINT


def test_comment_and_surrounding_blanks_are_ignored() -> None:
    assert parse_host_key(f"  {LINE} root@sftp \n") == parse_host_key(LINE)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "is not a type of host key"),
        (f"sftp.example.org {LINE}", "without the host's name"),
        (f"@revoked * {LINE}", "is not a type of host key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "is not a type of host key"),
        ("ssh-ed25519", "is not a key of that type"),
        (LINE[:-1], "cut short or contains a wrong character"),
        (LINE.replace("G", "*"), "cut short or contains a wrong character"),
        (LINE.replace("ssh-ed25519", "ssh-rsa"), "is not a key of that type"),
    ],
)
def test_invalid_line_is_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_host_key(line)


def test_settings_with_an_invalid_line_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a type of host key"):
        SftpSettings(name="a", host="h", user="u", host_keys=("typo",))
