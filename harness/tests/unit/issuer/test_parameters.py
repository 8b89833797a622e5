"""How requests of the flows are read: forms, PKCE, and the pages that texts from outside are in."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.issuer import pages
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.pkce import Challenge

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def test_the_challenge_of_the_rfc():
    assert Challenge(CHALLENGE, "S256").met_by(VERIFIER)
    assert not Challenge(CHALLENGE, "plain").met_by(VERIFIER)
    assert Challenge(VERIFIER, "plain").met_by(VERIFIER)


@given(st.text(UNRESERVED, min_size=43, max_size=128), st.text(UNRESERVED, min_size=43))
def test_a_challenge_is_met_by_its_own_verifier_only(verifier, other):
    digest = hashlib.sha256(verifier.encode()).digest()
    for challenge in (
        Challenge(base64.urlsafe_b64encode(digest).decode().rstrip("="), "S256"),
        Challenge(verifier, "plain"),
    ):
        assert challenge.well_formed
        assert challenge.met_by(verifier)
        assert challenge.met_by(other) is (other == verifier)


@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 129, "a" * 42 + "!", "a" * 42 + "ü"])
def test_what_no_challenge_and_no_verifier_can_be(text):
    assert not Challenge(text, "plain").well_formed
    assert not Challenge(text, "plain").met_by(text)


def test_there_are_two_methods():
    assert not Challenge("a" * 43, "s256").well_formed
    assert not Challenge("a" * 43, "none").well_formed


def test_a_parameter_without_a_value_counts_as_left_out():
    form = Form("a=&b=1&c")
    assert (form.get("a"), form.get("b"), form.get("c")) == (None, "1", None)
    assert "a" not in form
    with pytest.raises(OAuthError, match="parameter a is missing") as refused:
        form.need("a")
    assert refused.value.error == "invalid_request"


def test_a_parameter_may_not_come_twice_unless_it_is_a_list():
    with pytest.raises(OAuthError) as refused:
        Form("scope=a&scope=a")
    assert refused.value.error == "invalid_request"
    assert Form("audience=a&audience=b").all("audience") == ["a", "b"]


def test_a_form_without_end_is_refused():
    with pytest.raises(OAuthError):
        Form("&".join(f"p{number}=1" for number in range(201)))


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=5))
def test_what_a_form_gives_is_what_it_was_given(values):
    from urllib.parse import urlencode

    try:
        encoded = urlencode(values)
    except UnicodeEncodeError:
        return  # surrogates are no text
    assert dict(Form(encoded).pairs()) == values


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.values = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, sorted(name for name, _ in attrs)))
        given_ = dict(attrs)
        if tag == "input":
            self.values[given_.get("name")] = given_.get("value")


def written(text):
    """Every page, with one text from outside at every place for one."""
    return [
        pages.log_in(
            action="/x", client=text, target=text, username=text, names=[text], wrong=text
        ),
        pages.device("/x", text, username=text, names=[text], wrong=text),
        pages.log_out("/x", text, [("a", text)]),
        pages.error(text),
        pages.done(text, text),
        pages.form_post("https://a/", [("a", text)]),
    ]


@given(st.text(min_size=1) | st.sampled_from(['"><script>', "'", "</style>", "&amp;", "<!--"]))
def test_no_text_from_outside_becomes_html(text):
    for page, plain in zip(written(text), written("x"), strict=True):
        assert Tags(page).tags == Tags(plain).tags


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), min_size=1))
def test_a_text_in_a_field_is_that_text(text):
    fields = Tags(written(text)[1]).values
    assert (fields["user_code"], fields["username"]) == (text, text)


def test_each_field_has_a_label():
    for page in written("x")[:2]:
        labelled = set(re.findall(r'<label for="(\w+)">', page))
        assert {"username", "password"} <= labelled
        assert set(re.findall(r'<input id="(\w+)"', page)) == labelled
        assert page.count("autofocus") == 1


def test_only_the_form_that_sends_itself_has_a_script():
    assert [page.count("<script>") for page in written("x")] == [0, 0, 0, 0, 0, 1]
