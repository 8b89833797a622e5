"""What the key of an extra value may be: a domain of somebody's, and a path below it. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
"""

import re
from collections.abc import Iterator

from koproxy.configuration.problems import Problem, invalid, required

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_LONGEST = 253
_RESERVED = ("kubernetes.io", "k8s.io")


def wrong_key(path: str, key: str) -> Iterator[Problem]:
    """Say what is wrong with a key; ``path`` is its field's."""
    domain, slash, rest = key.partition("/")
    if not key:
        yield required(path)
    elif not (domain and rest):
        yield invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from (invalid(path, domain, why) for why in _wrong_domain(domain))
        if not re.fullmatch(_PATH, rest):
            yield invalid(path, rest, f"Invalid path (regex used for validation is '{_PATH}')")
    if key != key.lower():
        yield invalid(path, key, "must be lowercase")
    if slash and any(domain == each or domain.endswith(f".{each}") for each in _RESERVED):
        why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
        yield invalid(path, key, why)


def _wrong_domain(domain: str) -> Iterator[str]:
    if len(domain) > _LONGEST:
        yield f"must be no more than {_LONGEST} characters"
    if not re.fullmatch(_SUBDOMAIN, domain):
        yield (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character (e.g. "
            f"'example.com', regex used for validation is '{_SUBDOMAIN}')"
        )
