"""An issuer's flows without any socket: requests are made of bytes and answers are looked at."""

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from koproxy_harness.issuer.flows.flows import Flows
from koproxy_harness.issuer.keys import KeySet
from koproxy_harness.serving.clock import Clock
from koproxy_harness.serving.exchange import Request
from koproxy_harness.serving.parsing import Head

FORM = "application/x-www-form-urlencoded"


class Site:
    """One issuer, and one browser that keeps its cookie."""

    back = "http://127.0.0.1:8000/cb"

    def __init__(self, keys, users=(), clients=(), url="https://127.0.0.1:8443"):
        self.url = url
        self.keys = keys
        self.clock = Clock()
        self.clock.set(1_000_000)
        self.flows = Flows(
            lambda: url, self.sign, lambda: {"keys": keys.jwks}, self.clock, users, clients
        )
        self.cookie = None

    def sign(self, payload, header=None):
        return self.keys.key("RS256").jws(payload, header)

    def send(self, method, path, body=b"", headers=(), kind=FORM):
        base = urlsplit(self.url).path
        fields = list(headers)
        if self.cookie:
            fields.append(("Cookie", f"other=1; {self.cookie}"))
        if body:
            fields.append(("Content-Type", kind))
        request = Request(Head(method, base + path, "1.1", tuple(fields), b""), 1, None)
        request.add(body, b"")
        answer = self.flows.handle(request, path.partition("?")[0])
        for cookie in values(answer, "set-cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer

    def get(self, path, **parameters):
        return self.send("GET", f"{path}?{urlencode(parameters)}")

    def post(self, path, headers=(), **form):
        return self.send("POST", path, urlencode(form, doseq=True).encode(), headers)

    def request(self, **changes):
        """An authorization request that is as it should be, but for the changes."""
        parameters = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": self.back,
            "scope": "openid",
            "state": "a state & more",
            "code_challenge": "a" * 43,
        } | changes
        return {name: value for name, value in parameters.items() if value is not None}

    def authorize(self, **changes):
        return self.get("/authorize", **self.request(**changes))

    def log_in(self, username="jane", password="", **changes):
        """What the browser is answered when it sends the form."""
        query = urlencode(self.request(**changes))
        return self.post(f"/login?{query}", username=username, password=password)

    def code(self, **changes):
        return sent_back(self.log_in(**changes))["code"]

    def exchange(self, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "client_id": "app",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": "a" * 43,
        } | changes
        return self.post("/token", **{k: v for k, v in form.items() if v is not None})

    def tokens(self, **changes):
        answer = self.exchange(self.code(**changes))
        assert answer.status == 200, answer.body
        return answer.body

    def claims(self, token):
        kid = jwt.get_unverified_header(token)["kid"]
        key = jwt.PyJWKSet.from_dict({"keys": self.keys.jwks})[kid]
        options = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
        return jwt.decode(token, key, ["RS256"], options=options)


def values(answer, name):
    """The values of a header field."""
    return [value for key, value in answer.headers if key.lower() == name.lower()]


def sent_back(answer):
    """What a client is sent with a redirect."""
    assert answer.status == 303, answer
    (location,) = values(answer, "location")
    assert location.startswith(Site.back)
    return dict(parse_qsl(location.partition("?")[2]))


def refused(answer, status=400):
    """The error of a JSON answer, which has to be whole."""
    body = json.loads(answer.body) if isinstance(answer.body, str) else answer.body
    assert answer.status == status, answer
    assert "no-store" in values(answer, "cache-control")
    assert set(body) == {"error", "error_description"}
    assert set(body["error_description"]) <= {chr(c) for c in range(0x20, 0x7F)} - {'"', "\\"}
    return body["error"]


@pytest.fixture(scope="session")
def keys():
    return KeySet()


@pytest.fixture
def site(keys):
    """An issuer without users and clients of its own."""
    return Site(keys)


@pytest.fixture
def site_with(keys):
    """Makes an issuer with users and clients."""
    return lambda **kwargs: Site(keys, **kwargs)


@pytest.fixture(scope="session")
def site_class():
    """For issuers that live longer than one test."""
    return Site


@pytest.fixture
def back():
    """Reads what a redirect sends to the client."""
    return sent_back


@pytest.fixture
def error():
    """Reads the error of a JSON answer."""
    return refused


@pytest.fixture
def field():
    """Reads the values of a header field of an answer."""
    return values
