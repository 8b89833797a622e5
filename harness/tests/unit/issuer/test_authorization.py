"""The authorization endpoint: who is asked to log in, what clients are told, what people are."""

from urllib.parse import urlencode

import pytest
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.users import User

BACK = "http://127.0.0.1:8000/cb"
PUBLIC = Client("app", redirect_uris=["http://127.0.0.1/cb", "https://app.example/cb"])


def test_the_page_is_shown_prefilled_and_leads_to_a_code(site, back, field):
    page = site.authorize()
    assert page.status == 200
    assert 'value="jane"' in page.body
    assert field(page, "cache-control") == ["no-store"]
    assert "frame-ancestors 'none'" in field(page, "content-security-policy")[0]
    answer = back(site.log_in())
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a state & more", site.url)


def test_a_hint_is_who_is_filled_in(site):
    assert 'value="kate"' in site.authorize(login_hint="kate").body


def test_configured_people_are_offered_and_nobody_is_filled_in(site_with):
    page = site_with(users=[User("anna"), User("bert")]).authorize().body
    assert '<option value="anna">' in page
    assert 'name="username" value=""' in page


def test_a_request_may_come_by_post(site):
    assert 'value="jane"' in site.post("/authorize", **site.request()).body


def test_who_is_logged_in_is_not_asked_again(site, back):
    first = back(site.log_in())
    second = back(site.authorize())
    assert first["code"] != second["code"]
    assert "code" in back(site.authorize(prompt="none"))
    claims = site.claims(site.exchange(second["code"]).body["id_token"])
    assert (claims["sub"], claims["auth_time"]) == ("jane", 1_000_000)


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}])
def test_some_requests_ask_in_any_case(site, changes):
    site.log_in()
    assert site.authorize(**changes).status == 200


def test_max_age_asks_who_has_logged_in_too_long_ago(site, back):
    site.log_in()
    site.clock.move(100)
    assert "code" in back(site.authorize(max_age="101"))
    assert site.authorize(max_age="99").status == 200
    assert back(site.authorize(max_age="99", prompt="none"))["error"] == "login_required"
    site.log_in(max_age="0")
    assert site.authorize(max_age="0").status == 200


def test_a_session_ends(site, back):
    site.log_in()
    site.clock.move(8 * 3600)
    assert back(site.authorize(prompt="none"))["error"] == "login_required"


def test_nobody_is_logged_in_by_a_cookie_that_was_not_given(site, back):
    site.cookie = "session-8443="
    assert back(site.authorize(prompt="none"))["error"] == "login_required"


def test_the_hint_of_another_person_does_not_pass(site, back):
    hint = site.tokens()["id_token"]
    site.clock.move(1000)  # a hint may have expired
    assert "code" in back(site.authorize(prompt="none", id_token_hint=hint))
    site.log_in("kate")
    assert back(site.authorize(prompt="none", id_token_hint=hint))["error"] == "login_required"
    forged = back(site.authorize(prompt="none", id_token_hint=hint + "x"))
    assert forged["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"scope": 'open"id'}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "?"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": "S256"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://a/"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"resource": "no-uri"}, "invalid_target"),
        ({"resource": "https://a/#b"}, "invalid_target"),
    ],
)
def test_a_client_is_told_what_is_wrong(site, back, changes, error):
    for answer in (site.authorize(**changes), site.log_in(**changes)):
        if error == "login_required" and "code" in back(answer):
            continue  # who sends the form has logged in
        told = back(answer)
        assert told.pop("error_description").isascii()
        assert told == {"error": error, "state": "a state & more", "iss": site.url}


def test_who_cancels_is_refused(site, back):
    query = urlencode(site.request())
    assert back(site.post(f"/login?{query}", action="refuse"))["error"] == "access_denied"


def test_a_form_carries_the_answer_if_the_client_wants_that(site):
    page = site.log_in(response_mode="form_post")
    assert page.status == 200
    assert f'action="{BACK}"' in page.body
    assert 'name="code"' in page.body
    assert 'name="state" value="a state &amp; more"' in page.body
    page = site.authorize(response_mode="form_post", response_type="token")
    assert 'name="error" value="unsupported_response_type"' in page.body


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "other"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1/cb/x"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_without_a_good_address_a_person_is_told_and_nothing_is_sent(site_with, field, changes):
    site = site_with(clients=[PUBLIC])
    for answer in (site.authorize(**changes), site.log_in(**changes)):
        assert (answer.status, field(answer, "location")) == (400, [])
        assert 'role="alert"' in answer.body
        assert "evil.example/</" not in answer.body


def test_a_parameter_that_is_there_twice_is_refused(site, field):
    answer = site.send("GET", f"/authorize?{urlencode(site.request())}&scope=email")
    assert (answer.status, field(answer, "location")) == (400, [])


def test_any_free_port_is_good_for_a_native_app(site_with, back):
    assert "code" in back(site_with(clients=[PUBLIC]).log_in())


def test_a_configured_public_client_needs_pkce(site_with, back):
    site = site_with(clients=[PUBLIC])
    assert back(site.authorize(code_challenge=None))["error"] == "invalid_request"
    site = site_with(clients=[Client("app", "secret", redirect_uris=[BACK])])
    assert site.authorize(code_challenge=None).status == 200


def test_the_only_address_of_a_client_need_not_be_named(site_with, back):
    site = site_with(clients=[Client("app", "secret", redirect_uris=[BACK])])
    code = back(site.log_in(redirect_uri=None, scope="read"))["code"]
    answer = site.exchange(code, redirect_uri=None, client_secret="secret")
    assert answer.status == 200
    assert site.authorize(redirect_uri=None, scope="openid").status == 400


def test_a_wrong_password_shows_the_page_again(site_with, field):
    site = site_with(users=[User("jane", "pass")])
    for username, password in (("jane", "wrong"), ("jane", ""), ("kate", "pass"), ("", "")):
        answer = site.log_in(username, password)
        assert (answer.status, field(answer, "set-cookie")) == (403, [])
        assert "go together" in answer.body
    assert site.log_in("jane", "pass").status == 303


def test_the_cookie_is_for_the_issuer_alone(site_with, field):
    site = site_with(url="https://127.0.0.1:8443/realms/test")
    (cookie,) = field(site.log_in(), "set-cookie")
    assert cookie.startswith("session-8443=")
    assert cookie.endswith("; Path=/realms/test; Secure; HttpOnly; SameSite=Lax")
    assert 'action="/realms/test/login?' in site.authorize(prompt="login").body


def test_pages_are_not_for_scripts_of_others(site, field):
    for path in ("/authorize", "/login", "/device", "/logout"):
        for method in ("GET", "OPTIONS"):
            answer = site.send(method, path)
            assert field(answer, "access-control-allow-origin") == []


class TestLogout:
    bye = "https://app.example/bye"

    @pytest.fixture
    def site(self, site_with):
        client = Client(
            "app",
            redirect_uris=[BACK],
            post_logout_redirect_uris=[self.bye],
        )
        return site_with(clients=[client, Client("other", redirect_uris=[BACK])])

    def test_the_hint_of_the_person_ends_the_session(self, site, back, field):
        tokens = site.tokens(scope="openid offline_access")
        hint = tokens["id_token"]
        site.post("/revoke", token=tokens["refresh_token"], client_id="app")
        site.clock.move(1000)
        answer = site.get(
            "/logout", id_token_hint=hint, post_logout_redirect_uri=self.bye, state="s"
        )
        assert field(answer, "location") == [f"{self.bye}?state=s"]
        assert back(site.authorize(prompt="none"))["error"] == "login_required"

    def test_without_a_hint_the_person_is_asked(self, site, back, field):
        site.log_in()
        parameters = {"client_id": "app", "post_logout_redirect_uri": self.bye}
        page = site.get("/logout", **parameters)
        assert (page.status, field(page, "location")) == (200, [])
        assert "Log out?" in page.body
        assert "code" in back(site.authorize(prompt="none"))
        answer = site.post("/logout", action="log-out", **parameters)
        assert field(answer, "location") == [self.bye]
        assert back(site.authorize(prompt="none"))["error"] == "login_required"

    def test_the_hint_of_another_person_is_none(self, site):
        hint = site.tokens()["id_token"]
        site.log_in("kate")
        assert "Log out?" in site.get("/logout", id_token_hint=hint).body

    def test_the_end_without_an_address_is_a_page(self, site, field):
        answer = site.get("/logout")
        assert (answer.status, field(answer, "location")) == (200, [])
        assert "Logged out" in answer.body

    @pytest.mark.parametrize(
        "parameters",
        [
            {"client_id": "app", "post_logout_redirect_uri": "https://evil.example/"},
            {"client_id": "other", "post_logout_redirect_uri": bye},
            {"client_id": "nobody", "post_logout_redirect_uri": bye},
            {"post_logout_redirect_uri": bye},
            {"client_id": "app", "id_token_hint": "e30.e30.", "post_logout_redirect_uri": bye},
        ],
    )
    def test_nobody_is_sent_where_the_client_has_not_said(self, site, field, parameters):
        answer = site.get("/logout", **parameters)
        assert (answer.status, field(answer, "location")) == (400, [])

    def test_a_hint_for_another_client_is_refused(self, site):
        hint = site.tokens()["id_token"]
        assert site.get("/logout", id_token_hint=hint, client_id="other").status == 400
