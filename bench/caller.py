"""Who asks in the benchmark, and the token that an issuer gives such a person: RS256, 0.9 KB."""

import time

from koproxy_harness import Issuer

CLIENT_ID = "bench"
USER = "6f1f2c1b-4c53-4c9a-9d0a-5b6f2d3a7e90"
GROUPS = ("dev", "ops", "on-call")
_LIFETIME = 24 * 3600  # seconds


def token(issuer: Issuer) -> str:
    """A token with the claims that issuers usually put into one, good for a day."""
    now = int(time.time())
    return issuer.sign(
        {
            "iss": issuer.url,
            "sub": USER,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": "a3b8c0f6-9c1f-4d0e-8f6a-2c1f0b7d9e55",
            "sid": "0d1f8a5e-0c3a-4b52-8a0e-7d4c5b6a7f80",
            "groups": GROUPS,
            "name": "Jane Doe",
            "preferred_username": "jane.doe",
            "email": "jane.doe@example.com",
            "email_verified": True,
        }
    )
