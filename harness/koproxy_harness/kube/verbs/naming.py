"""What names objects may have. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from koproxy_harness.kube.kinds import Kind

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABELS = (("", "namespaces"), ("", "services"))  # which get into host names
_PATH_SEGMENTS = ("rbac.authorization.k8s.io",)  # whose names may be nearly anything
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of which no words are made

_SAYS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SAYS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def generated(prefix: str) -> str:
    """Give a name that begins with `prefix`."""
    return prefix[:58] + "".join(secrets.choice(_LETTERS) for _ in range(5))


def problems(kind: Kind, metadata: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Give the causes why an object can't be called so."""
    name = metadata.get("name", "")
    if not name:
        yield {
            "reason": "FieldValueRequired",
            "message": "Required value: name or generateName is required",
            "field": "metadata.name",
        }
        return
    if kind.group in _PATH_SEGMENTS:
        if name in (".", "..") or "/" in name or "%" in name:
            yield _invalid(name, "may not be '.' or '..', and may not contain '/' or '%'")
    elif kind.resource in _LABELS:
        if len(name) > 63:
            yield _invalid(name, "must be no more than 63 characters")
        if not _LABEL.fullmatch(name):
            yield _invalid(name, _SAYS_LABEL)
    else:
        if len(name) > 253:
            yield _invalid(name, "must be no more than 253 characters")
        if not _SUBDOMAIN.fullmatch(name):
            yield _invalid(name, _SAYS_SUBDOMAIN)


def _invalid(name: str, why: str) -> dict[str, str]:
    return {
        "reason": "FieldValueInvalid",
        "message": f'Invalid value: "{name}": {why}',
        "field": "metadata.name",
    }
