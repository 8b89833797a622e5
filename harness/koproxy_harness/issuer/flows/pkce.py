"""Proof Key for Code Exchange (RFC 7636): who brings the code has to be who asked for it. Pure."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from koproxy_harness.issuer import tokens

METHODS = ("S256", "plain")
_TEXT = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # sections 4.1 and 4.2


@dataclass(frozen=True)
class Challenge:
    """What an authorization request promised to know the secret behind (section 4.3)."""

    value: str
    method: str

    @property
    def well_formed(self) -> bool:
        """Whether it is of 43 to 128 unreserved characters and of a known method."""
        return self.method in METHODS and _TEXT.fullmatch(self.value) is not None

    def met_by(self, verifier: str) -> bool:
        """Whether this is the secret (section 4.6)."""
        if _TEXT.fullmatch(verifier) is None:
            return False
        if self.method == "S256":
            verifier = tokens.encode(sha256(verifier.encode()).digest())
        return hmac.compare_digest(verifier, self.value)
