"""What each failure of an SFTP delivery means to an operator: why, whether a person must act, what to do.

Texts may hold {step}, {detail} (the other side's or the library's own words), {user}, {host} and {folder}. Which error
leads to which verdict stands in sftp_session.py, where the errors are known.
"""

from typing import NamedTuple

from exporter.destinations.sftp_upload import Refusal


class Verdict(NamedTuple):
    """One failure. ``permanent`` as in DeliveryError."""

    why: str
    permanent: bool
    hint: str


_AGAIN = "it will be tried again"
_ASK_ACCESS = "ask the client to let {user} write, rename and remove files in {folder}"

HOST_NOT_FOUND = Verdict(
    "host name {host} not found ({detail})", False, "check host and this machine's name server; " + _AGAIN
)
REFUSED = Verdict("connection refused", False, "check host and port; if they are right, the server is down; " + _AGAIN)
NO_ANSWER = Verdict("no answer while {step}", False, "the server or the line is slow; " + _AGAIN)
BROKEN = Verdict("the connection broke while {step} ({detail})", False, _AGAIN)
FAILED = Verdict(
    "the connection failed while {step} ({detail})",
    False,
    "if it stays so: does an SSH server answer at this host and port, and does it offer SFTP to {user}? " + _AGAIN,
)
NOT_UNDERSTOOD = Verdict(
    "the server's answer while {step} makes no sense ({detail})",
    False,
    "check host and port: perhaps something else than an SFTP server answers there; " + _AGAIN,
)
NO_COMMON_ALGORITHM = Verdict(
    "no algorithm in common with the server ({detail})",
    True,
    "the server probably offers only SHA-1 (ssh-rsa, group14-sha1), which paramiko 5 no longer has. Ask the client "
    "to enable rsa-sha2-256, Ed25519 or a current key exchange; until then: pip install 'paramiko<5'",
)
HOST_KEY_CHANGED = Verdict("host key changed", True, "check the server's host key with the client")

LOGIN_REFUSED = Verdict(
    "login as {user} refused",
    True,
    "check the user, key and password set in footfall.toml, and that the client has installed the public key",
)
OTHER_LOGIN_WANTED = Verdict(
    "login as {user} refused: {detail}",
    True,
    "the server takes other ways to log in than the ones set: see its allowed types, and ask the client",
)
KEY_ENCRYPTED = Verdict(
    "the key file is encrypted", True, "set key_passphrase_file, or use a key that has no passphrase"
)
SSH_CONFIG = Verdict("the SSH configuration does not work ({detail})", True, "Footfall reads none: report this")
NO_SESSION = Verdict("the server opens no session ({detail})", False, "is it busy? " + _AGAIN)

NO_FOLDER = Verdict(
    "folder {folder} does not exist there", True, "correct folder in footfall.toml, or ask the client to create it"
)
PART_GONE = Verdict(
    "the file vanished while {step}",
    False,
    "does something on the server take away new files, hidden ones too? " + _AGAIN,
)
WRONG_SIZE = Verdict("{detail}", False, "its disk may be full; " + _AGAIN)
SERVER_FAILED = Verdict(
    "the server failed while {step} ({detail})", False, "its disk may be full or a quota used up; " + _AGAIN
)

# By SFTP status; every other one is taken for SERVER_FAILED.
BY_STATUS = {
    Refusal.PERMISSION_DENIED: Verdict("permission denied while {step} ({detail})", True, _ASK_ACCESS),
    Refusal.OP_UNSUPPORTED: Verdict("the server cannot do this: {step} ({detail})", True, _ASK_ACCESS),
}
