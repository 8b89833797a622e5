"""The issuer's pages over HTTPS, with cookies kept as a browser keeps them, and no scripts."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
import requests
from koproxy_harness import Client, HarnessError, Issuer, User

BACK = "http://127.0.0.1:8000/callback"


@pytest.fixture
def issuer():
    users = [User("jane", "pass & word", {"groups": ["ops"]})]
    clients = [
        Client("app", redirect_uris=[BACK], post_logout_redirect_uris=[BACK]),
    ]
    with Issuer(users=users, clients=clients, path="/realms/test") as issuer:
        yield issuer


@pytest.fixture
def browser(issuer):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(issuer.ca_file)
        yield session


def authorization_url(issuer, **changes):
    parameters = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": BACK,
        "scope": "openid groups",
        "state": "s",
        "code_challenge": "v" * 43,
    } | changes
    return f"{issuer.url}/authorize?{urlencode(parameters)}"


def submit(browser, page, **fields):
    action = unescape(re.search(r'<form method="post" action="([^"]*)"', page.text)[1])
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    filled = {name: unescape(value) for name, value in hidden} | fields
    return browser.post(urljoin(page.url, action), filled, allow_redirects=False)


def sent_back(answer):
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_log_in_log_in_again_log_out(issuer, browser):
    page = browser.get(authorization_url(issuer))
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    wrong = submit(browser, page, username="jane", password="password")
    assert wrong.status_code == 403
    answer = sent_back(submit(browser, page, username="jane", password="pass & word"))
    assert (answer["state"], answer["iss"]) == ("s", issuer.url)
    tokens = browser.post(
        f"{issuer.url}/token",
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": BACK,
            "client_id": "app",
            "code_verifier": "v" * 43,
        },
    ).json()
    info = browser.get(
        f"{issuer.url}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert info.json() == {"sub": "jane", "groups": ["ops"]}

    silent = browser.get(authorization_url(issuer, prompt="none"), allow_redirects=False)
    assert "code" in sent_back(silent)
    question = browser.get(
        f"{issuer.url}/logout",
        params={"client_id": "app", "post_logout_redirect_uri": BACK, "state": "bye"},
    )
    assert sent_back(submit(browser, question, action="log-out")) == {"state": "bye"}
    silent = browser.get(authorization_url(issuer, prompt="none"), allow_redirects=False)
    assert sent_back(silent)["error"] == "login_required"


def test_a_device(issuer, browser):
    device = browser.post(f"{issuer.url}/device_authorization", {"client_id": "app"}).json()
    page = browser.get(device["verification_uri_complete"])
    done = submit(
        browser, page, user_code=device["user_code"], username="jane", password="pass & word"
    )
    assert done.status_code == 200
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device["device_code"],
        "client_id": "app",
    }
    tokens = browser.post(f"{issuer.url}/token", form)
    assert (tokens.status_code, tokens.headers["Cache-Control"]) == (200, "no-store")


def test_two_issuers_keep_their_sessions_apart(issuer, browser):
    with Issuer() as other:
        other_browser = requests.Session()
        other_browser.trust_env = False
        other_browser.verify = str(other.ca_file)
        other_browser.cookies = browser.cookies
        with other_browser:
            for who, where in ((browser, issuer), (other_browser, other)):
                page = who.get(authorization_url(where))
                sent_back(submit(who, page, username="jane", password="pass & word"))
            for who, where in ((browser, issuer), (other_browser, other)):
                silent = who.get(authorization_url(where, prompt="none"), allow_redirects=False)
                assert "code" in sent_back(silent)


def test_documents_for_clients_in_a_browser(issuer, browser):
    discovery = browser.get(f"{issuer.url}/.well-known/openid-configuration")
    assert discovery.headers["Access-Control-Allow-Origin"] == "*"
    assert discovery.json() == issuer.discovery
    for name, url in discovery.json().items():
        if name.endswith(("_endpoint", "_uri")):
            assert browser.head(url).status_code in (200, 400, 401, 405), name
    host = issuer.url.removesuffix("/realms/test")
    metadata = f"{host}/.well-known/oauth-authorization-server/realms/test"
    assert browser.get(metadata).json() == issuer.discovery
    preflight = browser.options(f"{issuer.url}/token")
    assert (preflight.status_code, preflight.text) == (204, "")


def test_the_page_can_be_passed_in_the_process(issuer):
    back = issuer.log_in(authorization_url(issuer), "jane", "pass & word")
    assert back.startswith(f"{BACK}?code=")
    refused = issuer.log_in(authorization_url(issuer, response_type="token"), "jane", "pass & word")
    assert refused.startswith(f"{BACK}?error=unsupported_response_type&")
    assert issuer.requests == []


@pytest.mark.parametrize(
    ("changes", "password", "says"),
    [
        ({}, "wrong", "go together"),
        ({"client_id": "other"}, "pass & word", "no client called"),
        ({"redirect_uri": "https://evil.example/"}, "pass & word", "may not return"),
    ],
)
def test_where_the_page_would_not_let_go_the_process_does_not(issuer, changes, password, says):
    with pytest.raises(HarnessError, match=says):
        issuer.log_in(authorization_url(issuer, **changes), "jane", password)


def test_another_url_is_no_log_in(issuer):
    with pytest.raises(HarnessError, match="does not begin with"):
        issuer.log_in("https://127.0.0.1/authorize?client_id=app")


def test_devices_in_the_process(issuer, browser):
    device = browser.post(f"{issuer.url}/device_authorization", {"client_id": "app"}).json()
    with pytest.raises(HarnessError, match="go together"):
        issuer.approve_device(device["user_code"], "jane", "wrong")
    with pytest.raises(HarnessError, match="no such code"):
        issuer.refuse_device("nothing")
    issuer.refuse_device(device["user_code"])
    with pytest.raises(HarnessError, match="no such code"):
        issuer.approve_device(device["user_code"], "jane", "pass & word")


def test_claims_of_nobody_can_not_be_set(issuer):
    with pytest.raises(HarnessError, match="there are jane"):
        issuer.set_claims("kate", groups=[])
