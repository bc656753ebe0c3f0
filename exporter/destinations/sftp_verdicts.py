"""What each failure of an SFTP delivery means to an operator: why, whether a retry can help, what to do.

Texts may contain {step}, {detail} (the server's or the library's own words), {user}, {host} and {folder}.
sftp_session.py maps errors to verdicts.
"""

from typing import NamedTuple

from exporter.destinations.sftp_upload import SftpRequestRefused


class SftpVerdict(NamedTuple):
    """What one failure means. ``permanent``: a retry cannot help until someone acts, as in DeliveryError."""

    why: str
    permanent: bool
    hint: str


_AGAIN = "the exporter retries"
_ASK_ACCESS = "ask the client to let {user} write, rename and remove files in {folder}"

HOST_NOT_FOUND = SftpVerdict(
    "host name {host} not found ({detail})", False, "check host and this machine's name server; " + _AGAIN
)
REFUSED = SftpVerdict(
    "connection refused", False, "check host and port; if they are right, the server is down; " + _AGAIN
)
NO_ANSWER = SftpVerdict("no answer while {step}", False, "the server or the network is slow; " + _AGAIN)
BROKEN = SftpVerdict("the connection broke while {step} ({detail})", False, _AGAIN)
FAILED = SftpVerdict(
    "the connection failed while {step} ({detail})",
    False,
    _AGAIN + ". If it keeps failing: does an SSH server answer at this host and port, and offer SFTP to {user}?",
)
NOT_UNDERSTOOD = SftpVerdict(
    "the server's answer while {step} makes no sense ({detail})",
    False,
    "check host and port: something other than an SFTP server may answer there; " + _AGAIN,
)
NO_COMMON_ALGORITHM = SftpVerdict(
    "no algorithm in common with the server ({detail})",
    True,
    "the server probably offers only SHA-1 (ssh-rsa, group14-sha1), which paramiko 5 dropped. Ask the client "
    "to enable rsa-sha2-256, Ed25519 or a current key exchange; until then: pip install 'paramiko<5'",
)
HOST_KEY_CHANGED = SftpVerdict("host key changed", True, "check the server's host key with the client")

LOGIN_REFUSED = SftpVerdict(
    "login as {user} refused",
    True,
    "check user, key and password in footfall.toml, and that the client has installed the public key",
)
OTHER_LOGIN_WANTED = SftpVerdict(
    "login as {user} refused: {detail}",
    True,
    "the server accepts other ways to log in: see its allowed types, and ask the client",
)
KEY_ENCRYPTED = SftpVerdict(
    "the key file is encrypted", True, "set key_passphrase_file, or use a key that has no passphrase"
)
SSH_CONFIG = SftpVerdict("the SSH configuration is invalid ({detail})", True, "Footfall reads none; please report it")
NO_SESSION = SftpVerdict("the server opens no session ({detail})", False, "it may be busy; " + _AGAIN)

NO_FOLDER = SftpVerdict(
    "folder {folder} does not exist there", True, "correct folder in footfall.toml, or ask the client to create it"
)
PART_GONE = SftpVerdict(
    "the file vanished while {step}",
    False,
    "something on the server may move new files away, hidden ones too; " + _AGAIN,
)
WRONG_SIZE = SftpVerdict("{detail}", False, "its disk may be full; " + _AGAIN)
SERVER_FAILED = SftpVerdict(
    "the server failed while {step} ({detail})", False, "its disk may be full or a quota used up; " + _AGAIN
)

# By SFTP status; every other status is SERVER_FAILED.
BY_STATUS = {
    SftpRequestRefused.PERMISSION_DENIED: SftpVerdict("permission denied while {step} ({detail})", True, _ASK_ACCESS),
    SftpRequestRefused.OP_UNSUPPORTED: SftpVerdict("the server cannot do this: {step} ({detail})", True, _ASK_ACCESS),
}
