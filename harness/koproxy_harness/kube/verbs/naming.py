"""What names objects may have. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.name_rules import wrong_label, wrong_subdomain

_LABELS = (("", "namespaces"), ("", "services"))  # which get into host names
_PATH_SEGMENTS = ("rbac.authorization.k8s.io",)  # whose names may be nearly anything
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of which no words are made


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
    else:
        rule = wrong_label if kind.resource in _LABELS else wrong_subdomain
        yield from (_invalid(name, why) for why in rule(name))


def _invalid(name: str, why: str) -> dict[str, str]:
    return {
        "reason": "FieldValueInvalid",
        "message": f'Invalid value: "{name}": {why}',
        "field": "metadata.name",
    }
