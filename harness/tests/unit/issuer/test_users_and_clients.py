"""Who is known to an issuer, by which claims, and where a client may be answered."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness import HarnessError
from koproxy_harness.issuer.clients import Client, Clients
from koproxy_harness.issuer.flows.bounded import Bounded
from koproxy_harness.issuer.flows.redirects import allowed, usable, with_parameters
from koproxy_harness.issuer.users import User, Users

LOOPBACK = "http://127.0.0.1/callback"


def test_without_users_everybody_is_known_by_any_password():
    users = Users()
    assert users.authenticate("kate", None).all_claims["sub"] == "kate"
    assert users.authenticate("kate", "whatever") is not None
    assert users.authenticate("", None) is None
    assert users.names == []


def test_with_users_nobody_else_is_known():
    users = Users([User("jane", "pass"), User("bert")])
    assert users.names == ["jane", "bert"]
    for name, password, good in [
        ("jane", "pass", True),
        ("jane", "pas", False),
        ("jane", None, False),
        ("jane", "päss", False),
        ("bert", "anything", True),
        ("bert", None, True),
        ("kate", "pass", False),
    ]:
        assert (users.authenticate(name, password) is not None) is good, name


def test_two_users_of_one_name_are_a_mistake():
    with pytest.raises(HarnessError, match="jane"):
        Users([User("jane"), User("jane", "x")])


def test_claims_are_added_to_those_of_the_name_and_none_takes_one_away():
    user = User("jane.doe", claims={"email": "j@x", "groups": None, "tenant": 7})
    assert user.all_claims == {
        "sub": "jane.doe",
        "name": "Jane Doe",
        "preferred_username": "jane.doe",
        "email": "j@x",
        "email_verified": True,
        "tenant": 7,
    }
    assert User("j@x.org").all_claims["email"] == "j@x.org"


def test_scopes_decide_on_claims():
    user = User("jane", claims={"tenant": 7, "phone_number": "1"})
    assert user.claims_for(["openid"]) == {"sub": "jane", "tenant": 7}
    assert user.claims_for(["groups", "nonsense"])["groups"] == ["dev"]
    assert user.claims_for(["phone"])["phone_number"] == "1"
    assert set(user.claims_for(["profile"])) == {"sub", "tenant", "name", "preferred_username"}


def test_claims_that_are_set_leave_the_password_and_the_others():
    users = Users([User("jane", "pass", {"a": 1, "b": 2})])
    users.set_claims("jane", {"b": 3, "c": 4})
    jane = users.authenticate("jane", "pass")
    assert {name: jane.claims[name] for name in "abc"} == {"a": 1, "b": 3, "c": 4}
    assert users.authenticate("jane", "other") is None
    with pytest.raises(HarnessError, match="jane"):
        users.set_claims("kate", {})


def test_claims_set_for_somebody_do_not_make_the_others_unknown():
    users = Users()
    users.set_claims("jane", {"a": 1})
    assert users.find("kate") is not None
    assert users.names == []


def test_without_clients_any_is_taken_and_may_be_answered_anywhere():
    client = Clients().find("whatever")
    assert client.public
    assert not client.known
    assert allowed("https://anywhere.example/?a=b", client.redirect_uris)


def test_with_clients_no_other_is_taken_and_none_of_them_goes_anywhere():
    clients = Clients([Client("app", "secret")])
    assert clients.find("other") is None
    assert not allowed("https://anywhere.example/", clients.find("app").redirect_uris)
    with pytest.raises(HarnessError, match="app"):
        Clients([Client("app"), Client("app")])


def test_a_registered_client_is_held_to_what_it_registered_where_any_is_taken():
    clients = Clients()
    clients.register(Client("mine", redirect_uris=["https://mine.example/"]))
    assert clients.find("mine").redirect_uris == ["https://mine.example/"]
    clients.remove("mine")
    assert clients.find("mine").redirect_uris is None


def test_clients_that_register_do_not_fill_the_memory():
    clients = Clients([Client("given")])
    for number in range(1001):
        clients.register(Client(f"c{number}"))
    assert clients.find("c0") is None
    assert clients.find("c1") is not None
    assert clients.find("given") is not None


def test_a_bounded_memory_forgets_the_oldest():
    memory = Bounded(2)
    for name in "abc":
        memory.put(name, name.upper())
    assert [memory.get(name) for name in "abc"] == [None, "B", "C"]
    assert len(memory) == 2


@pytest.mark.parametrize(
    ("uri", "registered", "good"),
    [
        (LOOPBACK, LOOPBACK, True),
        ("http://127.0.0.1:8000/callback", LOOPBACK, True),
        ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000/callback", True),
        ("http://[::1]:8000/callback", "http://[::1]/callback", True),
        ("http://localhost:8000", "http://localhost", True),
        ("http://localhost:8000/callback", LOOPBACK, False),
        ("https://127.0.0.1:8000/callback", LOOPBACK, False),
        ("http://127.0.0.1:8000/callback/", LOOPBACK, False),
        ("http://127.0.0.1:8000/callback?a=b", LOOPBACK, False),
        ("http://127.0.0.1:8000@evil.example/callback", LOOPBACK, False),
        ("http://127.0.0.1.evil.example/callback", LOOPBACK, False),
        ("http://127.0.0.1:123456/callback", LOOPBACK, False),
        ("https://app.example:8000/cb", "https://app.example/cb", False),
        ("https://app.example/cb", "https://app.example/cb", True),
        ("https://app.example/CB", "https://app.example/cb", False),
        ("https://app.example/cb/../x", "https://app.example/cb", False),
        ("com.example.app:/oauth", "com.example.app:/oauth", True),
    ],
)
def test_redirect_uris_are_compared_to_the_letter_but_for_a_loopback_port(uri, registered, good):
    assert allowed(uri, [registered]) is good


@pytest.mark.parametrize(
    "uri",
    [
        "/callback",
        "app.example/cb",
        "https://app.example/#fragment",
        "https://",
        "https:///cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "https://app.example/\r\nSet-Cookie: a=b",
        "https://app.example/ b",
        "https://app.example/ü",
        'https://app.example/"',
        "https://[::1",
        "",
    ],
)
def test_some_uris_are_never_redirected_to(uri):
    assert not usable(uri)
    assert not allowed(uri, None)
    assert not allowed(uri, [uri])


@given(
    st.text(alphabet=string.printable), st.sampled_from(["https:", "com.example:", "https://a/"])
)
def test_what_may_be_redirected_to_fits_into_a_header_field(text, before):
    if usable(before + text):
        assert all("!" <= letter <= "~" for letter in before + text)


def test_parameters_go_behind_those_that_are_there():
    pairs = [("code", "a b"), ("state", "&=")]
    assert with_parameters("https://a/cb", pairs) == "https://a/cb?code=a+b&state=%26%3D"
    assert with_parameters("https://a/cb?x=1", pairs[:1]) == "https://a/cb?x=1&code=a+b"
    assert with_parameters("https://a/cb?", pairs[:1]) == "https://a/cb?code=a+b"
    assert with_parameters("https://a/cb", []) == "https://a/cb"
