"""The file of a configuration: what it gives, and all that is wrong with it in one message."""

from typing import Any

import pytest
import trustme

from koproxy.configuration.file import configured
from koproxy.errors import ConfigurationError

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
CA = trustme.CA().cert_pem.bytes().decode()


class Expression:
    text = "x"

    def uses(self, claim: str) -> bool:
        return False

    def evaluate(self, root: Any) -> Any:
        raise NotImplementedError


class Compiler:
    def claims(self, text: str, *, is_rule: bool = False) -> Expression:
        if "wrong" in text:
            raise ValueError("compilation failed: it is wrong")
        return Expression()

    def user(self, text: str) -> Expression:
        return Expression()


def wrong(text: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        configured((HEAD + text).encode(), "a.yaml", Compiler())
    message = str(raised.value)
    assert message.startswith("--authentication-config a.yaml:")
    return message.removeprefix("--authentication-config a.yaml:")


def test_what_a_file_gives() -> None:
    indented = CA.replace("\n", "\n      ")
    content = (
        HEAD
        + f"""
jwt:
- issuer:
    url: https://a.example
    audiences: [app]
    certificateAuthority: |
      {indented}
  claimMappings: {{username: {{expression: claims.sub}}}}
- issuer: {{url: https://b.example, audiences: [app]}}
  claimMappings: {{username: {{claim: sub, prefix: ''}}}}
anonymous: {{enabled: false}}
"""
    )
    found = configured(content.encode(), "a.yaml", Compiler())
    assert [each.url for each in found.issuers] == ["https://a.example", "https://b.example"]
    assert found.issuers[0].username is not None
    assert found.issuers[1].username is None
    assert {url: text.strip() for url, text in found.authorities.items()} == {
        "https://a.example": CA.strip()
    }


def test_one_thing_that_is_wrong_is_one_line() -> None:
    said = wrong("jwt:\n- issuer: {url: https://a.example, audiences: [a]}\n")
    assert said == (
        " line 4: jwt[0].claimMappings.username: Required value: claim or expression is required"
    )


def test_all_that_is_wrong_is_said_with_lines() -> None:
    said = wrong(
        """jwt:
- issuer:
    url: http://a.example
  claimMappings:
    username:
      expression: wrong
""",
    )
    assert said.splitlines() == [
        "",
        '  line 5: jwt[0].issuer.url: Invalid value: "http://a.example": URL scheme must be https',
        "  line 4: jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences "
        "is required",
        '  line 8: jwt[0].claimMappings.username.expression: Invalid value: "wrong": compilation '
        "failed: it is wrong",
    ]


def test_what_is_no_configuration_is_said() -> None:
    assert wrong("more: 1") == " line 3: more: unknown field: the file has jwt, anonymous"


@pytest.mark.parametrize(
    ("anonymous", "let"),
    [
        ("", []),
        ("anonymous: {enabled: false}", []),
        ("anonymous: {enabled: true}", [b"/livez", b"/api?x=1"]),
        (
            "anonymous: {enabled: true, conditions: [{path: /livez}]}",
            [b"/livez", b"/livez?verbose"],
        ),
    ],
)
def test_what_needs_no_token(anonymous: str, let: list[bytes]) -> None:
    text = f"{HEAD}jwt: []\n{anonymous}\n"
    found = configured(text.encode(), "a.yaml", Compiler()).anonymous
    some = [b"/livez", b"/livez?verbose", b"/api?x=1"]
    asked = [target for target in some if found.decide(target) is not None]
    assert set(let) <= set(asked)
    if "path" in anonymous or not let:
        assert asked == let
    for target in (b"/livez/", b"/%6civez", b"//livez", b"/livez;x", b"http://k/livez", b"*"):
        assert (found.decide(target) is not None) is (bool(let) and "path" not in anonymous)
