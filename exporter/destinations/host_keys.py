"""The keys by which SFTP servers prove who they are, as people write and compare them."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

# What every supported paramiko can verify. DSA is gone from paramiko since 4.0; sk- and certificate keys it never took.
_KINDS = frozenset(
    {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"},
)


@dataclass(frozen=True)
class HostKey:
    """A server's public key. ``kind`` is its type, as "ssh-ed25519"; ``blob`` its bytes as in RFC 4253 section 6.6."""

    kind: str
    blob: bytes

    @property
    def line(self) -> str:
        """The key as footfall.toml holds it: type and base64, as in known_hosts without the host's name."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """The key's hash as ``ssh-keygen -l`` prints it, for reading out on the telephone."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


def parse_host_key(line: str) -> HostKey:
    """Return the key written in *line*, as "ssh-ed25519 AAAA..."; a comment after it is passed over.

    Raises ValueError, with a sentence for the operator, when it is no such line.
    """
    kind, _, rest = line.strip().partition(" ")
    if kind not in _KINDS:
        raise ValueError(
            f"{kind!r} is no type of host key: write the type and the key, without the host's name, "
            "as 'ssh-ed25519 AAAA...' (types: " + ", ".join(sorted(_KINDS)) + ")"
        )
    encoded = rest.split()[0] if rest.split() else ""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error as exc:
        raise ValueError(f"the {kind} host key is cut short or has a wrong character in it ({exc})") from exc
    # The bytes begin with the type once more, preceded by its length (RFC 4253, section 6.6).
    if blob[4 : 4 + len(kind)] != kind.encode() or int.from_bytes(blob[:4], "big") != len(kind):
        raise ValueError(f"what follows {kind!r} is not a key of that type")
    return HostKey(kind, blob)
