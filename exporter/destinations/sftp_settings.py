"""The settings of an SFTP destination, and the text form of a server's public key."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

# What every supported paramiko can verify. It dropped DSA in 4.0, and never took sk- and certificate keys.
_KINDS = frozenset(
    {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"},
)


@dataclass(frozen=True)
class HostKey:
    """A server's public key. ``kind`` is its type, as "ssh-ed25519"; ``blob`` its bytes (RFC 4253, section 6.6)."""

    kind: str
    blob: bytes

    @property
    def line(self) -> str:
        """The key as footfall.toml has it: type and base64, as in known_hosts without the host's name."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """The key's hash as ``ssh-keygen -l`` prints it, for reading out on the telephone."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


def parse_host_key(line: str) -> HostKey:
    """Return the key in *line*, "ssh-ed25519 AAAA..." with or without a comment after it.

    Raises ValueError, with a sentence for the operator.
    """
    kind, _, rest = line.strip().partition(" ")
    if kind not in _KINDS:
        raise ValueError(
            f"{kind!r} is not a type of host key: write the type and the key, without the host's name, "
            "as 'ssh-ed25519 AAAA...' (types: " + ", ".join(sorted(_KINDS)) + ")"
        )
    encoded = rest.split()[0] if rest.split() else ""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error as exc:
        raise ValueError(f"the {kind} host key is cut short or contains a wrong character ({exc})") from exc
    # The bytes begin with the type once more, preceded by its length (RFC 4253, section 6.6).
    if blob[4 : 4 + len(kind)] != kind.encode() or int.from_bytes(blob[:4], "big") != len(kind):
        raise ValueError(f"the base64 after {kind!r} is not a key of that type")
    return HostKey(kind, blob)


@dataclass(frozen=True, kw_only=True)
class SftpSettings:
    """One SFTP destination of footfall.toml. Raises ValueError if a host key cannot be parsed.

    The server must show one of ``host_keys``; if there are none, every server is refused and the error shows its key.
    ``folder`` is the server's path, relative to the login's folder. Key file, agent and password are tried in that
    order, if set; a server may require two of them.
    """

    name: str
    host: str
    user: str
    port: int = 22
    folder: str = "."
    host_keys: tuple[str, ...] = ()
    key_file: Path | None = None
    key_passphrase: str | None = field(default=None, repr=False)
    use_agent: bool = False
    password: str | None = field(default=None, repr=False)
    connect_timeout_s: float = 15  # a server on the other side of the world answers in 0.3 s
    banner_timeout_s: float = 15  # for the banner, then for the handshake: OpenSSH may look up names for 10 s first
    auth_timeout_s: float = 30  # a server may ask a slow directory
    channel_timeout_s: float = 30  # for one request: a full disk array may stall that long
    deadline_s: float = 120  # for everything: a day's file is some 100 kB, seconds over the slowest line

    def __post_init__(self) -> None:
        """Refuse a host key that cannot be parsed."""
        for line in self.host_keys:
            parse_host_key(line)

    @property
    def address(self) -> str:
        """Host and port as people write them: "sftp.example.org:22", "[2001:db8::1]:22"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pinned(self) -> tuple[HostKey, ...]:
        """The host keys, parsed."""
        return tuple(parse_host_key(line) for line in self.host_keys)
