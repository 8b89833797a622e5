"""Requests made by hand, for corners that chance would miss."""

from __future__ import annotations

from typing import Any

from e2e.mock.access_sides import AUTHENTICATION, AUTHORIZATION

# Reviews that a cluster refuses to answer: where they are sent, and their body.
_SPACE = {"verb": "get", "resource": "pods"}
_LOCAL = f"{AUTHORIZATION}/namespaces/shop/localsubjectaccessreviews"
WITHOUT_SENSE: list[tuple[str, Any]] = [
    (f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": {}}),
    (f"{AUTHORIZATION}/subjectaccessreviews", {"spec": {}}),
    (f"{AUTHORIZATION}/subjectaccessreviews", {"spec": {"resourceAttributes": _SPACE}}),
    (f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {}}),
    (f"{AUTHENTICATION}/tokenreviews", {"spec": {}}),
    (_LOCAL, {"spec": {"user": "x", "resourceAttributes": {**_SPACE, "namespace": "lab"}}}),
    (_LOCAL, {"spec": {"user": "x", "resourceAttributes": _SPACE}}),
    (
        _LOCAL,
        {
            "metadata": {"namespace": "lab"},
            "spec": {"user": "x", "resourceAttributes": {**_SPACE, "namespace": "lab"}},
        },
    ),
    (
        "/api/v1/namespaces/shop/serviceaccounts/default/token",
        {"metadata": {"namespace": "lab"}, "spec": {}},
    ),
    ("/api/v1/namespaces/shop/serviceaccounts/none/token", {"spec": {}}),
    ("/api/v1/namespaces/shop/serviceaccounts/default/token", {"metadata": {"name": "other"}}),
]

# Whom to act as, by the ends of the names of impersonation's fields.
WITHIN_LIMITS: list[dict[str, list[str]]] = [
    {"User": ["zoe"], "Group": ["system:masters"]},
    {"User": ["zoe"], "Group": ["dev", ""]},
    {"User": ["zoe"], "Group": ["a", "b", "c", "d", "e"]},
    {"User": ["zoe"], "Group": ["system:unauthenticated"], "Uid": ["7"]},
    {"User": ["zoe"], "Extra-example.org%2fteam": ["a", "b", "c", "d", "e"]},
    {"User": ["zoe"], "Extra-example.org%2fteam": ["a", ""]},
    {"User": ["zoe"], "Extra-team": ["a"]},
    {"User": ["zoe"], "Extra-": ["a"]},
    {"User": ["zoe"], "Extra-example.org%2f": ["a"]},
    {"User": ["zoe"], "Extra-exam_ple%2fa": ["a"]},
    {"User": ["zoe"], "Extra-example.org%2fa%20b": ["a"]},
    {"User": ["zoe"], "Extra-exam_ple%2fa%20b": ["a"]},
    {"User": ["zoe", "bert"]},
    {"User": ["Zoë"]},
    {"User": [""], "Uid": ["7"]},
    {"User": ["system:anonymous"]},
    {"User": ["system:serviceaccount:shop:bot"]},
    {"User": ["system:serviceaccount:shop:bot"], "Group": ["dev"]},
    {"User": ["system:serviceaccount:Shop:bot"]},
    {"User": ["system:serviceaccount:shop:b:ot"]},
    {"User": ["system:node:n1"]},
    {"User": ["system:node:n1"], "Uid": ["7"]},
    {"User": ["system:node:N1"]},
]
