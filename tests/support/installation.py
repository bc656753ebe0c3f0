"""The harness's installation, where tests import it from."""

from harness.installation import PROFILE, SITE, Installation, Reply, batch, free_port, install

__all__ = ["PROFILE", "SITE", "Installation", "Reply", "batch", "free_port", "install"]
