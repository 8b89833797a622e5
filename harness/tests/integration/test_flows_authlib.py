"""The issuer's flows as a client library meets them that nobody here wrote: Authlib, on requests.

joserfc reads the tokens. The page is passed in the process; its HTML is another file's matter.
"""

import time

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from koproxy_harness import Client, Issuer, User

VERIFIER = "a-verifier-of-at-least-43-characters-is-what-it-takes"
BACK = "http://127.0.0.1:8000/callback"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"


@pytest.fixture
def issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def session_at():
    """Gives a session of a client at an issuer."""
    opened = []

    def session_at(issuer, client_id="app", secret=None, scope="openid email", **kwargs):
        session = OAuth2Session(
            client_id,
            secret,
            scope=scope,
            redirect_uri=BACK,
            code_challenge_method="S256",
            **kwargs,
        )
        session.trust_env = False
        session.verify = str(issuer.ca_file)
        opened.append(session)
        return session

    yield session_at
    for session in opened:
        session.close()


def discovery(session, issuer):
    answer = session.get(
        issuer.url + "/.well-known/openid-configuration", withhold_token=True
    ).json()
    OpenIDProviderMetadata(answer).validate()
    return answer


def claims_of(session, issuer, token):
    keys = session.get(issuer.url + "/keys", withhold_token=True).json()
    return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"])


def log_in(session, issuer, username="jane", password=None, **kwargs):
    """Log in by code and PKCE; the session has the tokens then."""
    url, state = session.create_authorization_url(
        issuer.url + "/authorize", code_verifier=VERIFIER, **kwargs
    )
    back = issuer.log_in(url, username, password)
    return session.fetch_token(
        issuer.url + "/token", authorization_response=back, state=state, code_verifier=VERIFIER
    )


def introspected(session, issuer, token):
    return session.introspect_token(issuer.url + "/introspect", token=token).json()


def test_code_with_pkce_without_any_configuration(issuer, session_at):
    session = session_at(issuer, scope="openid profile email groups")
    document = discovery(session, issuer)
    assert document["token_endpoint"] == issuer.url + "/token"
    before = int(time.time())
    answer = log_in(session, issuer, nonce="n-1")
    token = claims_of(session, issuer, answer["id_token"])
    CodeIDToken(
        token.claims,
        token.header,
        options={"iss": {"essential": True, "value": issuer.url}, "aud": {"value": "app"}},
        params={"nonce": "n-1", "client_id": "app", "access_token": answer["access_token"]},
    ).validate()
    assert token.claims["auth_time"] >= before
    expected = {"sub": "jane", "name": "Jane", "email": "jane@example.org", "groups": ["dev"]}
    info = session.get(document["userinfo_endpoint"]).json()
    assert {**info, **expected} == info
    assert {**token.claims, **info} == token.claims
    assert "refresh_token" not in answer


def test_the_access_token_is_a_jwt_of_its_own_type(issuer, session_at):
    session = session_at(issuer, scope="openid groups")
    answer = log_in(session, issuer, resource="https://api.example.org/")
    token = claims_of(session, issuer, answer["access_token"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == "https://api.example.org/"
    assert (token.claims["client_id"], token.claims["scope"]) == ("app", "openid groups")
    assert token.claims["groups"] == ["dev"]
    assert answer["expires_in"] == token.claims["exp"] - token.claims["iat"]


def test_scopes_decide_on_claims(issuer, session_at):
    issuer.set_claims("jane", tenant="a")
    session = session_at(issuer, scope="openid email")
    answer = log_in(session, issuer)
    info = session.get(issuer.url + "/userinfo").json()
    assert info == {
        "sub": "jane",
        "email": "jane@example.org",
        "email_verified": True,
        "tenant": "a",
    }
    assert answer["scope"] == "openid email"


def test_claims_change_while_it_runs(issuer, session_at):
    session = session_at(issuer, scope="openid groups offline_access")
    log_in(session, issuer)
    issuer.set_claims("jane", groups=["ops"])
    assert session.get(issuer.url + "/userinfo").json()["groups"] == ["ops"]
    fresh = session.refresh_token(issuer.url + "/token")
    assert claims_of(session, issuer, fresh["id_token"]).claims["groups"] == ["ops"]


def test_configured_clients_and_users(session_at):
    app = Client("app", "s3:cr/et", redirect_uris=[BACK])
    jane = User("jane", "pass", {"sub": "4711", "groups": ["a", "b"], "email": None})
    with Issuer(users=[jane], clients=[app]) as issuer:
        for method in ("client_secret_basic", "client_secret_post"):
            session = session_at(
                issuer,
                secret="s3:cr/et",
                scope="openid groups email",
                token_endpoint_auth_method=method,
            )
            answer = log_in(session, issuer, password="pass")
            claims = claims_of(session, issuer, answer["id_token"]).claims
            assert (claims["sub"], claims["groups"]) == ("4711", ["a", "b"])
            assert "email" not in claims
        for wrong in (
            session_at(issuer, secret="other"),
            session_at(issuer),
            session_at(issuer, "nobody", "s3:cr/et"),
        ):
            with pytest.raises(OAuthError) as refused:
                wrong.fetch_token(issuer.url + "/token", grant_type="client_credentials")
            assert refused.value.error == "invalid_client"


def test_a_client_with_a_key(session_at):
    key = RSAKey.generate_key(2048, {"kid": "c", "alg": "RS256", "use": "sig"})
    app = Client("app", jwks={"keys": [key.as_dict(private=False)]})
    with Issuer(clients=[app]) as issuer:
        for audience in (issuer.url + "/token", issuer.url):
            session = session_at(issuer, secret=key, token_endpoint_auth_method="private_key_jwt")
            session.register_client_auth_method(PrivateKeyJWT(audience))
            answer = session.fetch_token(issuer.url + "/token", grant_type="client_credentials")
            assert claims_of(session, issuer, answer["access_token"]).claims["sub"] == "app"
        other = RSAKey.generate_key(2048, {"kid": "c", "alg": "RS256", "use": "sig"})
        session = session_at(issuer, secret=other, token_endpoint_auth_method="private_key_jwt")
        session.register_client_auth_method(PrivateKeyJWT(issuer.url + "/token"))
        with pytest.raises(OAuthError) as refused:
            session.fetch_token(issuer.url + "/token", grant_type="client_credentials")
        assert refused.value.error == "invalid_client"


def test_refresh_tokens_rotate_and_an_old_one_ends_the_family(issuer, session_at):
    session = session_at(issuer, scope="openid email offline_access")
    first = log_in(session, issuer, nonce="n-1")
    second = session.refresh_token(issuer.url + "/token", first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    was, now = (claims_of(session, issuer, answer["id_token"]).claims for answer in (first, second))
    assert [now[name] for name in ("sub", "aud", "auth_time")] == [
        was[name] for name in ("sub", "aud", "auth_time")
    ]
    assert "nonce" not in now
    assert introspected(session, issuer, second["access_token"])["active"] is True

    with pytest.raises(OAuthError) as refused:
        session.refresh_token(issuer.url + "/token", first["refresh_token"])
    assert refused.value.error == "invalid_grant"
    for name in ("access_token", "refresh_token"):
        assert introspected(session, issuer, second[name]) == {"active": False}
    with pytest.raises(OAuthError) as refused:
        session.refresh_token(issuer.url + "/token", second["refresh_token"])
    assert refused.value.error == "invalid_grant"
    assert session.get(issuer.url + "/userinfo").status_code == 401


def test_a_refresh_may_ask_for_less_but_not_for_more(issuer, session_at):
    session = session_at(issuer, scope="openid email offline_access")
    first = log_in(session, issuer)
    less = session.refresh_token(issuer.url + "/token", first["refresh_token"], scope="openid")
    assert less["scope"] == "openid"
    assert "email" not in claims_of(session, issuer, less["id_token"]).claims
    with pytest.raises(OAuthError) as refused:
        session.refresh_token(issuer.url + "/token", less["refresh_token"], scope="openid groups")
    assert refused.value.error == "invalid_scope"
    again = session.refresh_token(
        issuer.url + "/token", less["refresh_token"], scope="openid email"
    )
    assert again["scope"] == "openid email"


def test_device_code(issuer, session_at):
    session = session_at(issuer, scope="openid groups")
    begun = session.post(
        issuer.url + "/device_authorization",
        data={"client_id": "app", "scope": "openid groups"},
        withhold_token=True,
    ).json()
    assert begun["user_code"] in begun["verification_uri_complete"]

    def ask():
        return session.fetch_token(
            issuer.url + "/token", grant_type=DEVICE, device_code=begun["device_code"]
        )

    for error in ("authorization_pending", "slow_down"):
        with pytest.raises(OAuthError) as refused:
            ask()
        assert refused.value.error == error
    issuer.approve_device(begun["user_code"].lower().replace("-", " "))
    answer = ask()
    assert claims_of(session, issuer, answer["id_token"]).claims["groups"] == ["dev"]
    with pytest.raises(OAuthError) as refused:
        ask()
    assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize(
    ("happens", "error"),
    [
        (lambda issuer, code: issuer.refuse_device(code), "access_denied"),
        (lambda issuer, _: issuer.clock.move(601), "expired_token"),
    ],
)
def test_a_device_that_gets_nothing(issuer, session_at, happens, error):
    session = session_at(issuer)
    begun = session.post(
        issuer.url + "/device_authorization", data={"client_id": "app"}, withhold_token=True
    ).json()
    happens(issuer, begun["user_code"])
    with pytest.raises(OAuthError) as refused:
        session.fetch_token(
            issuer.url + "/token", grant_type=DEVICE, device_code=begun["device_code"]
        )
    assert refused.value.error == error


def test_client_credentials(issuer, session_at):
    session = session_at(issuer, "job", "anything", scope="read")
    answer = session.fetch_token(
        issuer.url + "/token", grant_type="client_credentials", audience="my-app"
    )
    claims = claims_of(session, issuer, answer["access_token"]).claims
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("job", "my-app", "read")
    assert {"id_token", "refresh_token"}.isdisjoint(answer)


def test_password(session_at):
    with Issuer(users=[User("jane", "pass")]) as issuer:
        session = session_at(issuer)
        answer = session.fetch_token(issuer.url + "/token", username="jane", password="pass")
        assert claims_of(session, issuer, answer["id_token"]).claims["sub"] == "jane"
        for username, password in (("jane", "other"), ("kate", "pass")):
            with pytest.raises(OAuthError) as refused:
                session.fetch_token(issuer.url + "/token", username=username, password=password)
            assert refused.value.error == "invalid_grant"


def test_revocation(issuer, session_at):
    session = session_at(issuer, scope="openid offline_access")
    revoke = issuer.url + "/revoke"
    first = log_in(session, issuer)
    session.revoke_token(revoke, first["access_token"]).raise_for_status()
    assert introspected(session, issuer, first["access_token"]) == {"active": False}
    assert introspected(session, issuer, first["refresh_token"])["active"] is True

    second = session.refresh_token(issuer.url + "/token", first["refresh_token"])
    other = session_at(issuer, "other")
    answer = other.revoke_token(revoke, second["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert introspected(session, issuer, second["refresh_token"])["active"] is True
    session.revoke_token(revoke, second["refresh_token"]).raise_for_status()
    assert introspected(session, issuer, second["access_token"]) == {"active": False}
    session.revoke_token(revoke, "nothing known").raise_for_status()


def test_introspection_goes_by_the_clock_of_the_issuer(issuer, session_at):
    session = session_at(issuer)
    token = log_in(session, issuer)["access_token"]
    told = introspected(session, issuer, token)
    assert (told["active"], told["username"], told["client_id"]) == (True, "jane", "app")
    assert told["token_type"] == "Bearer"
    issuer.clock.move(301)
    assert introspected(session, issuer, token) == {"active": False}


def test_tokens_made_by_hand_are_introspected_too(issuer, session_at):
    session = session_at(issuer)
    assert introspected(session, issuer, issuer.token(sub="kate"))["sub"] == "kate"
    for wrong in ("expired", "unknown-key", "alg-none", "hmac-with-public-key", "wrong-issuer"):
        assert introspected(session, issuer, issuer.token(wrong=wrong)) == {"active": False}


def test_token_exchange(issuer, session_at):
    session = session_at(issuer, scope="openid email groups")
    subject = log_in(session, issuer)["access_token"]
    service = session_at(issuer, "service", "secret", scope=None)

    def exchange(**parameters):
        return service.fetch_token(
            issuer.url + "/token",
            grant_type=EXCHANGE,
            subject_token_type=TYPE + "access_token",
            **parameters,
        )

    answer = exchange(subject_token=subject, audience="backend", scope="email")
    assert answer["issued_token_type"] == TYPE + "access_token"
    claims = claims_of(service, issuer, answer["access_token"]).claims
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("jane", "backend", "email")
    assert claims["client_id"] == "service"
    assert "act" not in claims

    actor = service.fetch_token(issuer.url + "/token", grant_type="client_credentials")
    answer = exchange(
        subject_token=subject,
        actor_token=actor["access_token"],
        actor_token_type=TYPE + "access_token",
    )
    delegated = answer["access_token"]
    assert claims_of(service, issuer, delegated).claims["act"] == {"sub": "service"}
    answer = exchange(
        subject_token=delegated,
        actor_token=issuer.token(sub="next"),
        actor_token_type=TYPE + "jwt",
    )
    act = claims_of(service, issuer, answer["access_token"]).claims["act"]
    assert act == {"sub": "next", "act": {"sub": "service"}}

    for wrong in ("expired", "unknown-key", "tampered-payload"):
        with pytest.raises(OAuthError) as refused:
            exchange(subject_token=issuer.token(wrong=wrong))
        assert refused.value.error == "invalid_request"
    with pytest.raises(OAuthError) as refused:
        exchange(subject_token=subject, scope="admin")
    assert refused.value.error == "invalid_scope"


def test_a_registered_client_logs_in_and_is_deleted(session_at):
    with Issuer(clients=[Client("other")]) as issuer:
        anybody = session_at(issuer)
        about = anybody.post(
            issuer.url + "/register",
            json={"redirect_uris": [BACK], "client_name": "An app"},
            withhold_token=True,
        ).json()
        session = session_at(issuer, about["client_id"], about["client_secret"])
        assert log_in(session, issuer)["id_token"]

        key = {"Authorization": f"Bearer {about['registration_access_token']}"}
        where = about["registration_client_uri"]
        assert anybody.get(where, headers=key, withhold_token=True).json() == about
        assert anybody.get(where, withhold_token=True).status_code == 401
        assert anybody.delete(where, headers=key, withhold_token=True).status_code == 204
        assert anybody.get(where, headers=key, withhold_token=True).status_code == 401
        with pytest.raises(OAuthError) as refused:
            session.fetch_token(issuer.url + "/token", grant_type="client_credentials")
        assert refused.value.error == "invalid_client"
