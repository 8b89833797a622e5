"""AuthenticationConfigurations, good and bad, for koproxy and for kube-apiserver.

Each is a good one with one thing changed. ``BOTH`` are decided alike by the two; ``OURS`` are those
that koproxy refuses for reasons of its own, which docs/decisions.md gives.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import trustme
import yaml

Document = dict[str, Any]

_CA = trustme.CA().cert_pem.bytes().decode()
_GOOD: Document = {
    "issuer": {"url": "https://issuer.example", "audiences": ["app"]},
    "claimMappings": {"username": {"claim": "sub", "prefix": "oidc:"}},
}
_GONE = object()


def _longer(pem: str) -> str:
    """A certificate with bytes behind it, within its PEM."""
    begin, *lines, end = pem.strip().split("\n")
    content = base64.b64decode("".join(lines)) + b"more"
    return "\n".join([begin, base64.b64encode(content).decode(), end, ""])


def document(*entries: Document, **more: Any) -> Document:
    """A whole configuration."""
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    return {**head, "jwt": list(entries), **more}


def changed(path: str, value: Any) -> Document:
    """The good one with another value at a path like ``issuer.url``."""
    entry = copy.deepcopy(_GOOD)
    *parents, last = path.split(".")
    at: Any = entry
    for name in parents:
        at = at.setdefault(name, {})
    if value is _GONE:
        del at[last]
    else:
        at[last] = value
    return document(entry)


def _each(path: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    for name, value in values.items():
        yield f"{path}: {name}", changed(path, value)


def _rule(**parts: Any) -> list[Document]:
    return [parts]


def _cases() -> Iterator[tuple[str, Document | bytes]]:
    yield "good", document(_GOOD)
    yield "no issuer", document()
    yield "no jwt", {key: each for key, each in document().items() if key != "jwt"}
    yield "null jwt", document() | {"jwt": None}
    yield from _documents()
    yield from _issuers()
    yield from _mappings()
    yield from _rules()


def _documents() -> Iterator[tuple[str, Document | bytes]]:
    good = document(_GOOD)
    for version in ("v1", "v1beta1", "v1alpha1", "v2", ""):
        yield f"version {version}", good | {"apiVersion": f"apiserver.config.k8s.io/{version}"}
    yield "another kind", good | {"kind": "AuthorizationConfiguration"}
    yield "no kind", {key: each for key, each in good.items() if key != "kind"}
    yield "another group", good | {"apiVersion": "v1"}
    yield "unknown at the top", good | {"more": 1}
    yield "unknown in an issuer", changed("issuer.more", 1)
    yield "case of a field", changed("issuer.URL", "https://x.example")
    yield "empty", b""
    yield "blank", b" \n"
    yield "a list", b"- a"
    yield "no yaml", b"a: ["
    text = yaml.safe_dump(good).encode()
    yield "twice", text + b"jwt: []\n"
    yield "comment", b"# a comment\n" + text
    yield "two of one issuer", document(_GOOD, _GOOD)
    other = copy.deepcopy(_GOOD)
    other["issuer"]["url"] = "https://other.example"
    yield "two issuers", document(_GOOD, other)
    for each in (one := [copy.deepcopy(_GOOD), copy.deepcopy(other)]):
        each["issuer"]["discoveryURL"] = "https://discovery.example/x"
    yield "two of one discovery", document(*one)
    for count in (64, 65):
        many = []
        for at in range(count):
            entry = copy.deepcopy(_GOOD)
            entry["issuer"]["url"] = f"https://i{at}.example"
            many.append(entry)
        yield f"{count} issuers", document(*many)
    yield "anonymous", document(_GOOD, anonymous={"enabled": True})
    yield (
        "anonymous paths",
        document(_GOOD, anonymous={"enabled": True, "conditions": [{"path": "/x"}]}),
    )
    yield "anonymous off", document(_GOOD, anonymous={"enabled": False})
    yield (
        "conditions without anonymous",
        document(_GOOD, anonymous={"enabled": False, "conditions": [{"path": "/x"}]}),
    )


def _issuers() -> Iterator[tuple[str, Document]]:
    yield from _each(
        "issuer.url",
        {
            "gone": _GONE,
            "empty": "",
            "null": None,
            "a number": 5,
            "http": "http://issuer.example",
            "a path": "https://issuer.example/realms/a",
            "a slash": "https://issuer.example/",
            "a port": "https://issuer.example:8443",
            "a user": "https://me@issuer.example",
            "a password": "https://me:secret@issuer.example",
            "a query": "https://issuer.example?a",
            "a fragment": "https://issuer.example#a",
            "no url": "issuer",
            "a bad port": "https://issuer.example:x",
            "a control": "https://issuer.example/\x7f",
            "a bad escape": "https://issuer.example/%zz",
            "an address": "https://[::1]:8443/x",
            "upper case": "HTTPS://issuer.example",
            "an escape in the host": "https://issuer%41.example",
            "letters behind an address": "https://[::1]a",
        },
    )
    yield from _each(
        "issuer.discoveryURL",
        {
            "good": "https://10.0.0.1/.well-known/openid-configuration",
            "empty": "",
            "the issuer": "https://issuer.example",
            "the issuer with a slash": "https://issuer.example/",
            "http": "http://discovery.example",
            "a query": "https://discovery.example?a",
        },
    )
    yield from _each(
        "issuer.audiences",
        {
            "gone": _GONE,
            "none": [],
            "an empty one": [""],
            "null in it": [None],
            "two": ["a", "b"],
            "a number": [1],
            "a string": "app",
        },
    )
    for policy in ("", "MatchAny", "MatchAll"):
        yield f"policy {policy!r}", changed("issuer.audienceMatchPolicy", policy)
        for audiences in (["a", "b"], ["a", "a"]):
            entry = changed("issuer.audienceMatchPolicy", policy)
            entry["jwt"][0]["issuer"]["audiences"] = audiences
            yield f"policy {policy!r} of {audiences}", entry
    yield from _each(
        "issuer.certificateAuthority",
        {
            "good": _CA,
            "two": _CA + _CA,
            "no PEM": "x",
            "damaged": _CA.replace("MII", "AII", 1),  # PEM around something else
            "a key": "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n",
            "words around it": f"here:\n{_CA}there",
            "no line end between two": _CA.strip() + _CA,
            "indented": _CA.replace("\n", "\n  "),
            "bytes behind it": _longer(_CA),
        },
    )


def _mappings() -> Iterator[tuple[str, Document]]:
    for name in ("username", "groups"):
        yield from _each(
            f"claimMappings.{name}",
            {
                "empty": {},
                "null": None,
                "a claim": {"claim": "sub", "prefix": ""},
                "no prefix": {"claim": "sub"},
                "null prefix": {"claim": "sub", "prefix": None},
                "only a prefix": {"prefix": "a"},
                "an expression": {"expression": "claims.sub"},
                "a prefix and an expression": {"expression": "claims.sub", "prefix": ""},
                "both": {"claim": "sub", "prefix": "", "expression": "claims.sub"},
                "unknown": {"expression": "nope"},
                "no syntax": {"expression": "claims."},
                "a number": {"expression": "1"},
                "user": {"expression": "user.username"},
                "an address": {"expression": "claims.email"},
                "a verified address": {
                    "expression": "claims.email_verified == true ? claims.email : ''"
                },
                "an optional address": {"expression": "claims.?email.orValue('a')"},
                "an address by index": {"expression": "claims['email']"},
            },
        )
    yield "no mappings", changed("claimMappings", _GONE)
    yield from _each(
        "claimMappings.uid",
        {
            "a claim": {"claim": "sub"},
            "an expression": {"expression": "claims.sub"},
            "both": {"claim": "sub", "expression": "claims.sub"},
            "a prefix": {"claim": "sub", "prefix": ""},
            "wrong": {"expression": "claims.sub +"},
        },
    )
    for key in (
        *("example.com/a", "example.com", "/a", "example.com/", "Example.com/a", "example.com/A"),
        *("k8s.io/a", "a.k8s.io/b", "kubernetes.io/a", "a.kubernetes.io/b", "notk8s.io/a", ""),
        *("example.com/a/b", "example.com/ä", "example.com/a b", "-a.com/b", "a/b", "a..b/c"),
        f"{'a.' * 130}com/x",
    ):
        extra = [{"key": key, "valueExpression": "claims.a"}]
        yield f"extra {key[:30]!r}", changed("claimMappings.extra", extra)
    yield from _each(
        "claimMappings.extra",
        {
            "twice": [{"key": "a.b/c", "valueExpression": "claims.a"}] * 2,
            "no expression": [{"key": "a.b/c"}],
            "wrong": [{"key": "a.b/c", "valueExpression": "nope"}],
            "a claim": [{"key": "a.b/c", "claim": "a"}],
        },
    )


def _rules() -> Iterator[tuple[str, Document]]:
    yield from _each(
        "claimValidationRules",
        {
            "a claim": _rule(claim="hd", requiredValue="x"),
            "a claim alone": _rule(claim="hd"),
            "an expression": _rule(expression="claims.hd == 'x'", message="no"),
            "nothing": _rule(),
            "both": _rule(claim="hd", expression="true"),
            "a message for a claim": _rule(claim="hd", message="no"),
            "a value for an expression": _rule(requiredValue="x", expression="true"),
            "no bool": _rule(expression="claims.hd"),
            "a string": _rule(expression="'true'"),
            "a claim twice": _rule(claim="hd") * 2,
            "an expression twice": _rule(expression="true") * 2,
            "wrong": _rule(expression="claims.hd = 1"),
            "about the user": _rule(expression="user.username == 'a'"),
        },
    )
    yield from _each(
        "userValidationRules",
        {
            "good": _rule(expression="user.username != 'root'", message="no"),
            "nothing": _rule(),
            "only a message": _rule(message="no"),
            "no bool": _rule(expression="user.username"),
            "twice": _rule(expression="true") * 2,
            "wrong": _rule(expression="user.name == 'a'"),
            "about claims": _rule(expression="claims.sub == 'a'"),
            "all parts": _rule(
                expression="user.uid == '' && user.groups.exists(g, g == 'a') && "
                "'k' in user.extra && user.extra['k'][0] == 'v'"
            ),
        },
    )
    for name, rules in {
        "in a rule": {"claimValidationRules": _rule(expression="claims.email_verified == true")},
        "in an extra": {
            "claimMappings": {
                "username": {"expression": "claims.email"},
                "extra": [{"key": "a.b/c", "valueExpression": "string(claims.email_verified)"}],
            }
        },
        "in the groups": {
            "claimMappings": {
                "username": {"expression": "claims.email"},
                "groups": {"expression": "string(claims.email_verified)"},
            }
        },
        "in a user's rule": {"userValidationRules": _rule(expression="user.uid == 'verified'")},
    }.items():
        entry = changed("claimMappings.username", {"expression": "claims.email"})
        entry["jwt"][0] |= rules
        yield f"verified {name}", entry


def _own() -> Iterator[tuple[str, Document]]:
    yield from _each("issuer.egressSelectorType", {"cluster": "cluster", "other": "controlplane"})
    yield "a host without a name", changed("issuer.url", "https:///path")
    yield "a blank", changed("issuer.url", "https://issuer.example/a b")


def _text(given: Document | bytes) -> bytes:
    return given if isinstance(given, bytes) else yaml.safe_dump(given, allow_unicode=True).encode()


BOTH: dict[str, bytes] = {name: _text(each) for name, each in _cases()}
OURS: dict[str, bytes] = {name: _text(each) for name, each in _own()}
