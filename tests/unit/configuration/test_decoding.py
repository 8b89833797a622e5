"""The text of a configuration, read strictly and with the lines of what is wrong."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from koproxy.configuration.decoding import decode
from koproxy.configuration.document import (
    SCHEMA,
    Anonymous,
    AnonymousCondition,
    AuthenticationConfiguration,
    ClaimMappings,
    ClaimValidationRule,
    ExtraMapping,
    Issuer,
    JWTAuthenticator,
    Mapping,
    PrefixedMapping,
    UserValidationRule,
)

VERSION = SCHEMA.versions[0]
HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
WHOLE = """
jwt:
- issuer:
    url: https://example.com
    discoveryURL: https://discovery.example.com/.well-known/openid-configuration
    certificateAuthority: PEM
    audiences: [my-app, 2026-01-01]
    audienceMatchPolicy: MatchAny
    egressSelectorType: cluster
  claimValidationRules:
  - {claim: hd, requiredValue: example.com}
  - {expression: claims.ok == true, message: not ok}
  claimMappings:
    username: {claim: sub, prefix: ""}
    groups: {expression: claims.roles}
    uid: {claim: uid}
    extra: [{key: example.com/tenant, valueExpression: claims.tenant}]
  userValidationRules:
  - {expression: user.username != 'root', message: no root}
- issuer: null
anonymous: {enabled: true, conditions: [{path: /livez}]}
"""


def problems(text: str) -> list[tuple[int, str]]:
    decoded = decode((HEAD + text).encode(), SCHEMA)
    assert decoded.configuration is None
    return [(problem.line, str(problem)) for problem in decoded.problems]


def test_every_field_is_read() -> None:
    decoded = decode((HEAD + WHOLE).encode(), SCHEMA)
    assert decoded.problems == ()
    assert decoded.configuration == AuthenticationConfiguration(
        (
            JWTAuthenticator(
                Issuer(
                    "https://example.com",
                    "https://discovery.example.com/.well-known/openid-configuration",
                    "PEM",
                    ("my-app", "2026-01-01"),
                    "MatchAny",
                    "cluster",
                ),
                (
                    ClaimValidationRule("hd", "example.com"),
                    ClaimValidationRule(expression="claims.ok == true", message="not ok"),
                ),
                ClaimMappings(
                    PrefixedMapping("sub", ""),
                    PrefixedMapping(expression="claims.roles"),
                    Mapping("uid"),
                    (ExtraMapping("example.com/tenant", "claims.tenant"),),
                ),
                (UserValidationRule("user.username != 'root'", "no root"),),
            ),
            JWTAuthenticator(),
        ),
        Anonymous(True, (AnonymousCondition("/livez"),)),
    )


def test_the_lines_of_fields_are_known() -> None:
    lines = decode((HEAD + WHOLE).encode(), SCHEMA).lines
    assert lines["jwt[0].issuer.audiences[1]"] == lines["jwt[0].issuer.audiences"] == 9
    assert lines["jwt[0].claimMappings.extra[0].valueExpression"] == 19
    assert lines["jwt[1].issuer"] == 22


@pytest.mark.parametrize("version", SCHEMA.versions)
def test_json_is_yaml_and_versions_are_alike(version: str) -> None:
    text = json.dumps({"apiVersion": version, "kind": "AuthenticationConfiguration", "jwt": []})
    assert decode(text.encode(), SCHEMA).configuration == AuthenticationConfiguration()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("jwt: {}", 3, "jwt: it has to be an array, and is an object"),
        ("jwt: [a]", 3, "jwt[0]: it has to be an object, and is a string"),
        (
            "jwt:\n- issuer: {url: 5}",
            4,
            "jwt[0].issuer.url: it has to be a string, and is a number",
        ),
        (
            "anonymous: {enabled: 'true'}",
            3,
            "anonymous.enabled: it has to be a bool, and is a string",
        ),
        ("jwt:\n- nope: 1", 4, "jwt[0].nope: unknown field: jwt[0] has issuer,"),
        ("JWT: []", 3, "JWT: unknown field: the file has jwt, anonymous"),
        ("jwt: []\njwt: []", 4, "jwt: this field is there twice"),
        ("jwt: [", 3, "it is not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    ((found, message),) = problems(text)
    assert found == line
    assert message.startswith(said)


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems("jwt:\n- issuer: {url: 5, nope: 1}\n  claimMappings: []\nmore: 1\n")
    assert [message.split(":")[0] for _, message in found] == [
        *("jwt[0].issuer.url", "jwt[0].issuer.nope", "jwt[0].claimMappings", "more")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty config data"),
        (b"- a", "it has no fields"),
        (b"kind: AuthenticationConfiguration", "apiVersion: is missing: it has to be"),
        (b"apiVersion: v1\nkind: Pod", "apiVersion: is 'v1': it has to be"),
        (
            b"apiVersion: apiserver.config.k8s.io/v2\nkind: AuthenticationConfiguration",
            "apiVersion",
        ),
        (b"\xff\xfe\xff", "it is not valid YAML"),
        (b"[" * 5000, "it is not valid YAML"),
        (b"# nothing", "Object 'Kind' is missing"),
    ],
)
def test_what_is_no_configuration_is_said(content: bytes, said: str) -> None:
    decoded = decode(content, SCHEMA)
    assert decoded.configuration is None
    assert str(decoded.problems[0]).startswith(said)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:/", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jwt", "issuer", "url", "audiences", "claimMappings", "username", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_anything_is_read_or_refused(value: Any) -> None:
    document = {"apiVersion": VERSION, "kind": "AuthenticationConfiguration"}
    if isinstance(value, dict):
        document |= value
    decoded = decode(yaml.safe_dump(document).encode(), SCHEMA)
    assert (decoded.configuration is None) is bool(decoded.problems)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    decoded = decode(content, SCHEMA)
    assert (decoded.configuration is None) is bool(decoded.problems)


def good(text: str) -> str:
    return f'{{"apiVersion": "{VERSION}", "kind": "AuthenticationConfiguration", {text}}}'


@pytest.mark.parametrize(
    "character", ["\x7f", "\x85", "\u2028", "\ufeff", "\uffff", "😀", "\\ud83d\\ude00"]
)
def test_json_may_hold_what_yaml_may_not(character: str) -> None:
    text = good(f'\n\t"jwt": [\n\t\t{{"issuer": {{"url": "a{character}b"}}}}]')
    found = decode(text.encode(), SCHEMA)
    assert found.problems == ()
    assert found.configuration is not None
    (entry,) = found.configuration.jwt
    assert entry.issuer.url == f"a{'😀' if len(character) > 1 else character}b"
    assert found.lines["jwt[0].issuer"] == 3


@pytest.mark.parametrize(
    "text",
    ['"jwt": [],', '"jwt": [] # x', "'jwt': []", '"jwt": [NaN]', '"jwt": "\\x"', '"jwt": "a\tb"'],
)
def test_what_begins_like_json_is_json(text: str) -> None:
    (problem,) = decode(good(f"\n{text}").encode(), SCHEMA).problems
    assert "it is not valid JSON" in problem.text


def test_half_a_character_is_none_in_yaml_and_a_mark_in_json() -> None:
    (problem,) = decode(f'{HEAD}jwt: [{{issuer: {{url: "\\ud83d"}}}}]'.encode(), SCHEMA).problems
    assert problem.path == "jwt[0].issuer.url"
    found = decode(good('"jwt": [{"issuer": {"url": "\\ud83d"}}]').encode(), SCHEMA).configuration
    assert found is not None
    assert found.jwt[0].issuer.url == "\ufffd"


@pytest.mark.parametrize("merged", ["5", "a", "null", "[1]"])
def test_what_is_no_object_can_not_be_merged(merged: str) -> None:
    (problem,) = decode(f"{HEAD}jwt: [{{<<: {merged}}}]\n".encode(), SCHEMA).problems
    assert "merges" in problem.text
    assert problem.line == 3
