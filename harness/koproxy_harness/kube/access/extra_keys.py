"""What the key of a user's extra value has to look like to be impersonated within limits.

Pure.
"""

from __future__ import annotations

import re

from koproxy_harness.kube.access.quoting import quoted
from koproxy_harness.kube.access.rbac import together

_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_LONGEST = 253  # characters of a domain


def wrong_with(key: str) -> str:
    """Say what is wrong with a key, in the API server's words; nothing for a good one."""
    domain, _, path = key.partition("/")
    if not domain or not path:
        return _invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")')
    found = []
    if len(domain) > _LONGEST:
        found.append(_invalid(domain, f"must be no more than {_LONGEST} characters"))
    if not re.fullmatch(_DOMAIN, domain):
        why = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character (e.g. "
            f"'example.com', regex used for validation is '{_DOMAIN}')"
        )
        found.append(_invalid(domain, why))
    if not re.fullmatch(_PATH, path):
        found.append(_invalid(path, f"Invalid path (regex used for validation is '{_PATH}')"))
    return together(found) if found else ""


def _invalid(value: str, why: str) -> str:
    return f"extra.key: Invalid value: {quoted(value)}: {why}"
