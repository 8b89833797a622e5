"""Who asks in the benchmark, and the tokens that an issuer gives such a person: RS256, 0.9 KB."""

import base64
import secrets
import time
import uuid

from koproxy_harness import Issuer

CLIENT_ID = "bench"
USER = "6f1f2c1b-4c53-4c9a-9d0a-5b6f2d3a7e90"
GROUPS = ("dev", "ops", "on-call")
_LIFETIME = 24 * 3600  # seconds
_SIGNATURE_BYTES = 256


def token(issuer: Issuer) -> str:
    """A token with the claims that issuers usually put into one, good for a day; no two alike."""
    now = int(time.time())
    return issuer.sign(
        {
            "iss": issuer.url,
            "sub": USER,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": str(uuid.uuid4()),
            "sid": "0d1f8a5e-0c3a-4b52-8a0e-7d4c5b6a7f80",
            "groups": GROUPS,
            "name": "Jane Doe",
            "preferred_username": "jane.doe",
            "email": "jane.doe@example.com",
            "email_verified": True,
        }
    )


def forged(token: str) -> str:
    """The same token with a signature that nobody made, well-formed and of the right length."""
    signature = b"\0" + secrets.token_bytes(_SIGNATURE_BYTES - 1)  # less than any modulus
    text = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return f"{token.rpartition('.')[0]}.{text}"
