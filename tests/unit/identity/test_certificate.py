"""Whom a client's certificate names, until when, and by whose word."""

import warnings
from hashlib import sha256

import pytest
from support.certificate_cases import BOTH, OURS, ROOT
from support.certificates import CN, DAY, NOW, UID, Issued, O, Part, root

from koproxy.identity.added import Added
from koproxy.identity.certificate import Certificates, Shown
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Verified
from koproxy.identity.user import Identity

AT = NOW.timestamp() + 0.5
JANE = (CN, "jane")


def certificates(*authorities: Issued, groups: tuple[str, ...] = ()) -> Certificates:
    made = Certificates(allow_reserved_groups=frozenset(groups))
    made.use_authorities([each.certificate for each in authorities])
    return made


def decided(case: str, at: float = AT) -> Outcome | None:
    authorities, issued = (BOTH | OURS)[case]
    return certificates(*authorities).decide(issued.der, at)


@pytest.mark.parametrize(
    ("case", "username", "uid", "groups"),
    [
        ("a user", "jane", "", ()),
        ("groups", "jane", "", ("b", "a", "b")),
        ("two users", "b", "", ()),
        ("signs that are none of ASCII's", "jürgen ☃ 😀", "", ()),
        ("in BMPString", "jürgen", "", ()),
        ("a uid", "jane", "7", ()),
        ("a long user", "x" * 1000, "", ()),
        ("by two between", "jane", "", ()),
        ("of an authority that was renewed", "jane", "", ()),
        ("for any usage", "jane", "", ()),
    ],
)
def test_a_certificate_names_somebody(
    case: str, username: str, uid: str, groups: tuple[str, ...]
) -> None:
    verified = decided(case)
    assert isinstance(verified, Verified)
    identity = verified.identity
    assert (identity.username, identity.uid, identity.groups) == (username, uid, groups)
    assert f"Impersonate-User: {username}\r\n".encode() in verified.headers


def test_the_extra_field_names_the_certificate() -> None:
    issued = ROOT.issue(JANE)
    verified = certificates(ROOT).decide(issued.der, AT)
    assert isinstance(verified, Verified)
    fingerprint = f"X509SHA256={sha256(issued.der[0]).hexdigest()}"
    assert verified.identity == Identity(
        "jane", extra=(("authentication.kubernetes.io/credential-id", (fingerprint,)),)
    )
    line = f"Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id: {fingerprint}\r\n"
    assert line.encode() in verified.headers


@pytest.mark.parametrize("case", ["no user", "no name at all", "an empty user"])
def test_it_may_name_nobody(case: str) -> None:
    assert decided(case) is None


def test_there_may_be_none() -> None:
    assert certificates(ROOT).decide((), AT) is None


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("no more", "it, or one that it rests on, has expired"),
        ("not yet", "it, or one that it rests on, is not valid yet"),
        ("by one that has ended", "it, or one that it rests on, has expired"),
        ("of another authority", "it comes from none of the authorities"),
        ("for servers", "it is not for clients"),
        ("by one for servers", "it is not for clients"),
        ("signed with SHA-1", "it is signed with a hash that is broken since years"),
        ("two uids", "it gives more than one uid"),
        ("an empty uid", "it gives an empty uid"),
        ("in T61String, signs that are none of ASCII's", "its name is of a type that is not text"),
    ],
)
def test_one_that_is_not_good_says_why(case: str, reason: str) -> None:
    refused = decided(case)
    assert isinstance(refused, Unauthenticated)
    assert refused.reason == f"the client certificate is not accepted: {reason}"


@pytest.mark.parametrize("spoilt", [b"", b"\x30\x00", ROOT.issue(JANE).der[0][:-1]])
def test_one_that_can_not_be_read(spoilt: bytes) -> None:
    refused = certificates(ROOT).decide((spoilt,), AT)
    assert refused == Unauthenticated("the client certificate is not accepted: it can't be read")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ((CN, "system:admin"), "the user name"),
        ((CN, "system:node:a"), "the user name"),
        ((O, "system:masters"), "the group"),
        ((O, "a\nb"), "has a control character"),
        ((CN, " a"), "begins or ends with a blank"),
        ((UID, "a\x00"), "the uid"),
    ],
)
def test_a_name_that_is_not_passed_on(part: Part, message: str) -> None:
    forbidden = certificates(ROOT).decide(ROOT.issue((CN, "a"), part).der, AT)
    assert isinstance(forbidden, Forbidden)
    assert message in forbidden.message
    assert forbidden.identity is not None


def test_a_reserved_group_may_be_allowed() -> None:
    chain = ROOT.issue(JANE, (O, "system:masters")).der
    verified = certificates(ROOT, groups=("system:masters",)).decide(chain, AT)
    assert isinstance(verified, Verified)
    assert verified.identity.groups == ("system:masters",)


def test_everybody_gets_what_is_added() -> None:
    made = Certificates(added=Added((("cluster", ("west",)),)))
    made.use_authorities([ROOT.certificate])
    verified = made.decide(ROOT.issue(JANE).der, AT)
    assert isinstance(verified, Verified)
    assert verified.headers.endswith(b"\r\nImpersonate-Extra-cluster: west\r\n")


def test_it_holds_as_long_as_all_that_it_rests_on() -> None:
    short = root(ends=NOW + DAY / 2)
    verified = certificates(short).decide(short.issue(JANE).der, AT)
    assert isinstance(verified, Verified)
    assert verified.expires == (NOW + DAY / 2).timestamp()
    authorities = certificates(ROOT)
    issued = ROOT.issue(JANE, ends=NOW + DAY / 4).der
    end = (NOW + DAY / 4).timestamp()
    assert isinstance(authorities.decide(issued, end - 0.5), Verified)
    assert isinstance(authorities.decide(issued, end + 0.5), Unauthenticated)


def test_other_authorities_decide_from_then_on() -> None:
    made = certificates(ROOT)
    before, chain = made.generation, ROOT.issue(JANE).der
    assert isinstance(made.decide(chain, AT), Verified)
    made.use_authorities([root("other", key=1).certificate])
    assert made.generation != before
    assert isinstance(made.decide(chain, AT), Unauthenticated)


def test_what_was_decided_holds_until_it_expires_or_authorities_change() -> None:
    made = certificates(ROOT)
    shown = Shown(made, ROOT.issue(JANE, ends=NOW + DAY / 2).der)
    end = (NOW + DAY / 2).timestamp()
    assert shown.known(AT) is None
    verified = shown.decide(AT)
    assert isinstance(verified, Verified)
    assert shown.known(AT) is verified
    assert shown.known(end) is verified
    assert shown.known(end + 0.1) is None
    made.use_authorities([ROOT.certificate, root("other", key=1).certificate])
    assert shown.known(AT) is None
    assert isinstance(shown.decide(AT), Verified)
    made.use_authorities([root("other", key=1).certificate])
    assert isinstance(shown.decide(AT), Unauthenticated)
    assert shown.known(AT) is None


def test_a_long_name_is_warned_of_nowhere() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(decided("a long user"), Verified)
