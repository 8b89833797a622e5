"""A configuration is taken and refused by koproxy and kube-apiserver alike.

Kubernetes' own code judges, without a server around it; what koproxy refuses besides, and why, is
in docs/decisions.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from e2e.configuration_cases import BOTH, OURS
from localcluster.authenticator import Authenticator

from koproxy.cel.compiling import Compiler
from koproxy.configuration.file import configured
from koproxy.errors import ConfigurationError

COMPILER = Compiler()
GOOD = BOTH["good"].decode()
HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
JSON = json.dumps(yaml.safe_load(GOOD))
# What YAML may take for a string, a number, a boolean, a date or nothing.
WORDS = [
    *("yes", "on", "y", "n", "No", "true", "True", "TRUE", "'true'", "~", "null", "Null", "NULL"),
    *("''", "1", "+1", "-.5", "0.", "1.5", "1e3", ".inf", ".nan", "0x1F", "0o17", "017", "0b11"),
    *("1_000", "1:30", "12345678901234567890", "2001-01-01", "2001-01-01T00:00:00Z", "=", "-"),
    *("!!str 5", "!!int '5'", "!!float 1", "!!bool 'true'", "&a app", "*a", "@a", "%a", "a #b"),
    *(r'"\x41"', r'"a\nb"', r'"\U0001F600"', "{}", "[]", "{a: b}", "[a]"),
]
PLACES = {
    "an audience": GOOD.replace("- app", "- {}"),
    "a prefix": GOOD.replace("'oidc:'", "{}"),
    "a boolean": f"{GOOD}anonymous: {{{{enabled: {{}}}}}}\n",
    "a field": f"{GOOD}{{}}: 1\n",
    "the issuers": HEAD + "jwt: {}\n",
    "an issuer": GOOD.replace("kind:", "- {}\nkind:"),
    "everything": "{}",
}
TWO_ISSUERS = f"""{HEAD}
jwt:
- issuer: &first {{url: 'https://first.example', audiences: [app]}}
  claimMappings: &mappings {{username: {{claim: sub, prefix: ''}}}}
- issuer: {{MERGED}}
  claimMappings: *mappings
"""
TEXTS = {
    "two issuers": TWO_ISSUERS.replace("MERGED", "url: 'https://second.example', audiences: [app]"),
    "merged, nothing in common": TWO_ISSUERS.replace(
        "MERGED", "<<: {audiences: [app]}, url: 'https://second.example'"
    ),
    "merged": TWO_ISSUERS.replace("MERGED", "<<: *first, url: 'https://second.example'"),
    "merged after": TWO_ISSUERS.replace("MERGED", "url: 'https://second.example', <<: *first"),
    "merged alone": TWO_ISSUERS.replace("MERGED", "<<: *first"),
    "merged of two": TWO_ISSUERS.replace("MERGED", "<<: [*first, {discoveryURL: 'https://a.b'}]"),
    "merged twice": TWO_ISSUERS.replace("MERGED", "<<: *first, <<: *first, url: 'https://b.c'"),
    "merged unknown": TWO_ISSUERS.replace("MERGED", "<<: *first, <<: {nope: 1}"),
    "an alias of nothing": TWO_ISSUERS.replace("MERGED", "*nothing : a"),
    "a key that is a list": f"{GOOD}? [a]\n: b\n",
    "an explicit key": f"{GOOD}? anonymous\n: {{enabled: true}}\n",
    "a key quoted the second time": f"{GOOD}'jwt': []\n",
    "a number twice": f"{GOOD}1: a\n1: b\n",
    "of itself": f"{HEAD}jwt: &a [*a]\n",
    "deep": f"{GOOD}more: {'[' * 300}{']' * 300}\n",
    "with a beginning and an end": f"---\n{GOOD}...\n",
    "another line ending": GOOD.replace("\n", "\r\n"),
    "a byte order mark": f"\ufeff{GOOD}",
    "a tab": GOOD.replace("  url", "\turl"),
    "a NUL": f"{GOOD}# \0",
    "a control": f"{GOOD}# \1",
    "metadata": f"{GOOD}metadata: {{}}\n",
    "JSON": JSON,
    "JSON in lines": json.dumps(json.loads(JSON), indent=1),
    "JSON after blanks": f" \n{JSON}",
    "JSON and more": f"{JSON}x",
    "JSON twice": JSON + JSON,
    "JSON, a field twice": f'{JSON[:-1]}, "jwt": []}}',
    "JSON, a field twice within": JSON.replace('{"claim"', '{"claim": "a", "claim"'),
    "JSON, another case": JSON.replace('"jwt"', '"JWT"'),
    "JSON, another case of the kind": JSON.replace('"kind"', '"Kind"'),
    "JSON, no kind": JSON.replace('"AuthenticationConfiguration"', "null"),
    "JSON, a letter escaped": JSON.replace("sub", "s\\u0075b"),
    "JSON, a slash escaped": JSON.replace("https://", "https:\\/\\/"),
    "JSON, two halves": JSON.replace("oidc:", "\\ud83d\\ude00"),
    "JSON, half a letter": JSON.replace("oidc:", "\\ud83d"),
    "JSON, a number": JSON.replace('"oidc:"', "1"),
    **{f"{word} as {place}": text.format(word) for word in WORDS for place, text in PLACES.items()},
}


@pytest.fixture(scope="module")
def judge(directory: Path) -> Iterator[Authenticator]:
    judge = Authenticator(directory / "configurations.log")
    yield judge
    judge.close()


def refused(content: bytes) -> str:
    """What koproxy finds wrong with a configuration; empty if nothing is."""
    try:
        configured(content, "a.yaml", COMPILER)
    except ConfigurationError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("name", BOTH)
def test_both_decide_alike(judge: Authenticator, name: str) -> None:
    judged = judge.ask(BOTH[name].decode())
    ours = refused(BOTH[name])
    assert not judged.panic
    assert bool(ours) is bool(judged.wrong), (ours, judged.wrong)


@pytest.mark.parametrize("name", TEXTS)
def test_both_read_a_text_alike(judge: Authenticator, name: str) -> None:
    judged = judge.ask(TEXTS[name])
    ours = refused(TEXTS[name].encode())
    assert not judged.panic
    assert bool(ours) is bool(judged.wrong), (ours, judged.wrong)


def test_there_are_many_of_both_kinds() -> None:
    outcomes = [bool(refused(content)) for content in BOTH.values()]
    assert outcomes.count(True) > 50
    assert outcomes.count(False) > 50


@pytest.mark.parametrize("name", OURS)
def test_what_koproxy_alone_refuses(judge: Authenticator, name: str) -> None:
    assert judge.ask(OURS[name].decode()).wrong == ""
    assert refused(OURS[name])
