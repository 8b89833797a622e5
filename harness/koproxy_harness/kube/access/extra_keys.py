"""What the key of a user's extra value has to look like to be impersonated within limits.

Pure.
"""

from __future__ import annotations

import re

from koproxy_harness.kube.name_rules import wrong_subdomain
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.status import together

_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def wrong_with(key: str) -> str:
    """Say what is wrong with a key, in the API server's words; nothing for a good one."""
    domain, _, path = key.partition("/")
    if not domain or not path:
        return _invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")')
    found = [_invalid(domain, why) for why in wrong_subdomain(domain)]
    if not re.fullmatch(_PATH, path):
        found.append(_invalid(path, f"Invalid path (regex used for validation is '{_PATH}')"))
    return together(found) if found else ""


def _invalid(value: str, why: str) -> str:
    return f"extra.key: Invalid value: {quoted(value)}: {why}"
