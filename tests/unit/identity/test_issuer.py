"""One issuer's rules: from flags, and from claims to an identity."""

from typing import Any

import pytest

from koproxy.configuration.flags import issuer_from_flags
from koproxy.errors import ConfigurationError
from koproxy.identity.gojson import Number
from koproxy.identity.issuer import Issuer, canonical_issuer
from koproxy.identity.typed import Refused
from koproxy.identity.user import Identity

URL = "https://issuer.example/realm"


def flags(**changes: Any) -> Issuer:
    return issuer_from_flags(**{"oidc_issuer_url": URL, "oidc_client_id": "me", **changes})


@pytest.mark.parametrize(
    ("claim", "prefix", "expected"),
    [
        ("sub", "", f"{URL}#"),
        ("name", "", f"{URL}#"),
        ("email", "", ""),
        ("sub", "-", ""),
        ("email", "-", ""),
        ("sub", "oidc:", "oidc:"),
        ("email", "oidc:", "oidc:"),
    ],
)
def test_the_default_prefix_is_that_of_kube_apiserver(
    claim: str, prefix: str, expected: str
) -> None:
    made = flags(oidc_username_claim=claim, oidc_username_prefix=prefix)
    assert made.username_prefix == expected


def test_the_other_defaults() -> None:
    assert flags() == Issuer(
        url=URL,
        audiences=frozenset({"me"}),
        username_prefix=f"{URL}#",
        algorithms=frozenset({"RS256"}),
    )
    assert flags(oidc_signing_algs=()).algorithms == {"RS256"}
    assert flags(oidc_groups_prefix="-").groups_prefix == "-"


def test_of_required_claims_of_one_name_the_last_counts() -> None:
    made = flags(oidc_required_claim=[("a", "1"), ("b", ""), ("a", "2")])
    assert made.required_claims == (("a", "2"), ("b", ""))


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        *(
            ({"oidc_issuer_url": url}, "--oidc-issuer-url")
            for url in (
                "",
                "http://issuer.example",
                "issuer.example",
                "https://",
                "https:///realm",
                "https://a b",
                "https://user@issuer.example",
                "https://issuer.example?a=b",
                "https://issuer.example#a",
                "https://issuer.example:x",
                "https://issuer.example:99999",
                "https://a\n",
                "ftp://a",
            )
        ),
        ({"oidc_client_id": ""}, "--oidc-client-id"),
        ({"oidc_username_claim": ""}, "--oidc-username-claim"),
        ({"oidc_signing_algs": ["RS256", "HS256"]}, "--oidc-signing-algs"),
        ({"oidc_signing_algs": ["none"]}, "--oidc-signing-algs"),
        ({"oidc_signing_algs": ["EdDSA"]}, "--oidc-signing-algs"),
        ({"oidc_required_claim": [("", "x")]}, "--oidc-required-claim"),
    ],
)
def test_a_flag_that_can_not_work_is_named(changes: dict[str, Any], flag: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{flag} "):
        flags(**changes)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["a", "b", "a"], ("p:a", "p:b", "p:a")),
        ("a", ("p:a",)),
        ("", ("p:",)),
        ([], ()),
        (None, ()),
        (["a", None], ("p:a", "p:")),
    ],
)
def test_groups_are_a_string_or_a_list(groups: Any, expected: tuple[str, ...]) -> None:
    rules = flags(oidc_groups_claim="groups", oidc_groups_prefix="p:", oidc_username_prefix="-")
    identity = rules.identity({"sub": "jane", "groups": groups})
    assert identity == Identity("jane", groups=expected)


@pytest.mark.parametrize("groups", [Number("1"), True, {"a": "b"}, ["a", Number("1")], [["a"]]])
def test_groups_of_other_types_refuse_the_token(groups: Any) -> None:
    rules = flags(oidc_groups_claim="groups")
    with pytest.raises(Refused, match="groups"):
        rules.identity({"sub": "jane", "groups": groups})
    assert flags().identity({"sub": "jane", "groups": groups}).groups == ()


def test_no_groups_are_no_groups() -> None:
    assert flags(oidc_groups_claim="groups").identity({"sub": "jane"}).groups == ()


@pytest.mark.parametrize("name", [Number("1"), True, [], {}, ["jane"]])
def test_a_user_name_is_a_string(name: Any) -> None:
    with pytest.raises(Refused, match="sub"):
        flags().identity({"sub": name})


def test_a_user_name_has_to_be_there_though_it_may_be_null() -> None:
    with pytest.raises(Refused, match="has no sub claim"):
        flags().identity({"SUB": "jane"})
    assert flags(oidc_username_prefix="x").identity({"sub": None}).username == "x"


@pytest.mark.parametrize("verified", [False, None, "true", Number("1"), []])
def test_an_email_has_to_be_verified_if_anything_is_said_about_it(verified: Any) -> None:
    rules = flags(oidc_username_claim="email")
    with pytest.raises(Refused, match="email"):
        rules.identity({"email": "jane@a.example", "email_verified": verified})


def test_an_email_of_which_nothing_is_said_is_taken() -> None:
    claims = {"email": "jane@a.example"}
    assert flags(oidc_username_claim="email").identity(claims).username == "jane@a.example"
    claims["EMAIL_VERIFIED"] = "x"
    assert flags(oidc_username_claim="email").identity(claims).username == "jane@a.example"
    assert flags(oidc_username_claim="sub").identity({"sub": "j", "email_verified": False})


@pytest.mark.parametrize("value", ["red", "", " blue", None, Number("1"), True, ["blue"], ...])
def test_a_required_claim_has_to_have_its_value(value: Any) -> None:
    rules = flags(oidc_required_claim=[("tenant", "blue"), ("a", "b")])
    claims = {"sub": "jane", "a": "b"} | ({} if value is ... else {"tenant": value})
    with pytest.raises(Refused, match="tenant"):
        rules.identity(claims)
    assert rules.identity({**claims, "tenant": "blue"})


def test_null_is_an_empty_required_value() -> None:
    rules = flags(oidc_required_claim=[("tenant", "")])
    assert rules.identity({"sub": "jane", "tenant": None})


def test_google_may_leave_the_scheme_out() -> None:
    assert canonical_issuer("accounts.google.com") == "https://accounts.google.com"
    assert canonical_issuer("https://issuer.example") == "https://issuer.example"
