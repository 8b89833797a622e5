"""What a client sees of each fault, and that the next request is answered rightly."""

import contextlib
import http.client
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from koproxy_harness import WRONG, HarnessError, Issuer, KubeAPI

DISCOVERY = "/.well-known/openid-configuration"


def get(server, path, headers=None):
    """Ask on a connection of its own; gives the status, the fields and the body."""
    trust = ssl.create_default_context(cadata=server.ca_pem)
    client = http.client.HTTPSConnection("127.0.0.1", server.port, context=trust, timeout=20)
    try:
        client.request("GET", path, headers=headers or {})
        answer = client.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        client.close()


class Client:
    """TLS over a socket that says what came: a reset, which Python's own may take for an end."""

    def __init__(self, server):
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        trust = ssl.create_default_context(cadata=server.ca_pem)
        self._tls = trust.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self._do(self._tls.do_handshake)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        self._tls.write(data)
        self._flush()

    def read(self):
        """Give some bytes, none at a polite end."""
        try:
            return self._do(lambda: self._tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""

    def ask(self, path, *more):
        self.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *more, "", ""]).encode())

    def _do(self, step):
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                came = self._socket.recv(65536)
                self._in.write(came) if came else self._in.write_eof()
            else:
                self._flush()
                return result

    def _flush(self):
        if data := self._out.read():  # sending nothing would meet a reset before reading does
            self._socket.sendall(data)


def until_reset(client):
    """Give what came before a reset."""
    came = bytearray()

    def read():
        while data := client.read():
            came.extend(data)

    with pytest.raises(ConnectionResetError):
        read()
    return bytes(came)


def test_the_right_answer_is_cut_after_so_many_bytes(oidc):
    oidc.fail("discovery", status=200, after=20, times=2)
    for _ in range(2):
        with pytest.raises(http.client.IncompleteRead) as cut:
            get(oidc, DISCOVERY)
        assert cut.value.partial == json.dumps(oidc.discovery).encode()[:20]
    assert json.loads(get(oidc, DISCOVERY)[2]) == oidc.discovery


def test_bytes_before_a_reset_arrive(oidc):
    oidc.fail("discovery", status=200, after=20, reset=True)
    with Client(oidc) as client:
        client.ask(DISCOVERY)
        came = until_reset(client)
    assert came.partition(b"\r\n\r\n")[2] == json.dumps(oidc.discovery).encode()[:20]


def test_fields_of_the_right_answer_are_replaced(oidc):
    oidc.fail("jwks", status=200, headers={"Content-Type": "text/html"}, times=1)
    status, headers, body = get(oidc, "/keys")
    assert (status, headers["Content-Type"], json.loads(body)) == (200, "text/html", oidc.jwks)
    assert get(oidc, "/keys")[1]["Content-Type"] == "application/json"


def test_garbage_instead_of_an_answer(oidc):
    oidc.fail("jwks", raw=b"\x00\x01 what?\r\n\r\n", times=1)
    with pytest.raises(http.client.BadStatusLine):
        get(oidc, "/keys")
    assert get(oidc, "/keys")[0] == 200


@pytest.mark.parametrize("body", ['{"half', b'{"half'])
def test_the_body_of_a_fault_is_called_json_unless_the_fault_calls_it_otherwise(oidc, body):
    oidc.fail("jwks", status=200, body=body)
    status, headers, came = get(oidc, "/keys")
    assert (status, headers["Content-Type"], came) == (200, "application/json", b'{"half')
    for name in ("content-type", "Content-Type"):
        oidc.fail("jwks", status=200, body=body, headers={name: "text/html"})
        headers = get(oidc, "/keys")[1]
        assert [headers[each] for each in headers if each.lower() == name.lower()] == ["text/html"]
        assert headers[name] == "text/html"


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_is_the_head_alone_and_the_connection_goes_on(oidc, status):
    oidc.fail("jwks", status=status, headers={"ETag": "a"}, times=1)
    with Client(oidc) as client:
        client.ask("/keys")
        client.ask("/keys", "Connection: close")
        came = b"".join(iter(client.read, b""))
    first, _, second = came.partition(b"\r\n\r\n")
    assert first.startswith(f"HTTP/1.1 {status} ".encode())
    assert first.endswith(b"\r\nETag: a")
    assert b"Content-" not in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_for_what_has_none_is_refused(oidc, status):
    with pytest.raises(HarnessError, match=f"an answer {status} has no body: leave body out"):
        oidc.fail("jwks", status=status, body="x")


def test_a_handler_gives_no_body_with_what_has_none():
    for status, body in [(204, b"x"), (304, {}), (101, b"")]:
        with pytest.raises(HarnessError, match=f"an answer {status}"), KubeAPI() as api:  # noqa: PT012
            api.on("/a", lambda exchange, a=status, b=body: exchange.respond(a, b))
            with pytest.raises(ConnectionError):
                get(api, "/a")
        with pytest.raises(HarnessError, match=f"an answer {status}"), KubeAPI() as api:  # noqa: PT012
            api.on("/a", lambda exchange, a=status: exchange.begin(a))
            with pytest.raises(ConnectionError):
                get(api, "/a")


def test_a_body_may_be_what_json_has(oidc):
    oidc.fail("jwks", status=200, body={"keys": []})
    status, headers, body = get(oidc, "/keys")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {"keys": []}


def test_a_fault_that_would_never_happen_is_refused(oidc):
    for wrong in ({"seconds": -1}, {"delay": float("nan")}, {"headers": "abc"}):
        with pytest.raises(HarnessError, match=" of a fault "):
            oidc.fail("jwks", **wrong)
    with KubeAPI() as api, pytest.raises(HarnessError, match="begins with / or"):
        api.fail("api/v1/pods")
    assert get(oidc, "/keys")[0] == 200


def test_a_fault_without_a_body_says_what_it_is_in_a_text(oidc):
    oidc.fail("jwks", status=502)
    status, headers, body = get(oidc, "/keys")
    assert (status, headers["Content-Type"]) == (502, "text/plain; charset=utf-8")
    assert body == b"the harness was told to answer 502\n"


def test_every_second_request(oidc):
    oidc.fail("jwks", every=2)
    assert [get(oidc, "/keys")[0] for _ in range(4)] == [200, 500, 200, 500]


def test_discovery_says_something_else(oidc):
    right = oidc.discovery
    oidc.publish(issuer="https://other.invalid", jwks_uri=None)
    said = json.loads(get(oidc, DISCOVERY)[2])
    assert said["issuer"] == "https://other.invalid"
    assert "jwks_uri" not in said
    oidc.publish()
    assert json.loads(get(oidc, DISCOVERY)[2]) == right


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("expired", "expired"),
        ("not-yet-valid", "not yet valid"),
        ("wrong-host", "not valid for '127.0.0.1'"),
        ("untrusted", "local issuer|self.signed"),
    ],
)
def test_a_certificate_that_is_wrong(oidc, kind, why):
    oidc.serve_certificate(kind)
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        get(oidc, "/keys")
    oidc.heal()
    assert get(oidc, "/keys")[0] == 200


def test_an_unknown_certificate_is_refused_with_those_there_are(oidc):
    with pytest.raises(HarnessError, match="'rusty'; there are good, expired"):
        oidc.serve_certificate("rusty")


def test_keys_are_withdrawn(oidc):
    token = oidc.token()
    oidc.rotate_keys(keep_old=True)
    oidc.withdraw_keys()
    assert json.loads(get(oidc, "/keys")[2]) == {"keys": []}
    oidc.rotate_keys()
    kids = [key["kid"] for key in json.loads(get(oidc, "/keys")[2])["keys"]]
    assert jwt.get_unverified_header(oidc.token())["kid"] in kids
    assert jwt.get_unverified_header(token)["kid"] not in kids


def test_its_clock_is_what_tokens_go_by(oidc):
    oidc.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    claims = jwt.decode(oidc.token(lifetime=60), options={"verify_signature": False})
    assert 0 <= claims["iat"] - datetime(2030, 1, 1, tzinfo=UTC).timestamp() < 60
    oidc.clock.reset()
    oidc.clock.move(-timedelta(hours=1).total_seconds())
    key = jwt.PyJWKSet.from_dict(oidc.jwks).keys[0]
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(oidc.token(), key, ["RS256"], audience="kubernetes")


@pytest.mark.parametrize("alg", ["ES256K", "Ed25519", "Ed448"])
def test_a_rare_key_is_published_once_it_is_used(oidc, alg):
    assert alg not in [key["alg"] for key in oidc.jwks["keys"]]
    token = oidc.token(alg=alg)
    header = jwt.get_unverified_header(token)
    assert header["alg"] == alg
    published = {key["kid"]: key for key in oidc.jwks["keys"]}[header["kid"]]
    assert published["alg"] == alg
    published = {**published, "alg": "ES256K" if alg == "ES256K" else "EdDSA"}
    text, _, signature = token.rpartition(".")
    key = jwt.PyJWK.from_dict(published)
    assert key.Algorithm.verify(
        text.encode(), key.key, jwt.utils.base64url_decode(signature.encode())
    )


def test_an_issuer_with_a_path_serves_everything_below_it():
    with Issuer(path="/realms/test") as issuer:
        assert issuer.url.endswith("/realms/test")
        document = json.loads(get(issuer, "/realms/test/.well-known/openid-configuration")[2])
        assert document["issuer"] == issuer.url
        keys = document["jwks_uri"].removeprefix(f"https://127.0.0.1:{issuer.port}")
        assert json.loads(get(issuer, keys)[2]) == issuer.jwks
        assert get(issuer, "/keys")[0] == 404
        issuer.fail("jwks", times=1)
        assert get(issuer, keys)[0] == 500


@pytest.mark.parametrize("path", ["realms", "/realms/"])
def test_a_path_that_makes_no_url_is_refused(path):
    with pytest.raises(HarnessError, match="begins with / and ends without"):
        Issuer(path=path)


def test_every_connection_is_reset_at_once(oidc):
    with Client(oidc) as one, Client(oidc) as other:
        oidc.until(lambda: oidc.connections == 2)
        oidc.disconnect()
        assert until_reset(one) == until_reset(other) == b""
    assert get(oidc, DISCOVERY)[0] == 200


def test_a_watch_breaks_in_the_middle():
    with KubeAPI() as api:
        admin = f"Authorization: Bearer {api.admin_token}"
        api.fail("/api/v1/namespaces", status=200, after=50, reset=True, times=1)
        with Client(api) as client:
            client.ask("/api/v1/namespaces?watch=true", admin)
            assert len(unchunked(until_reset(client).partition(b"\r\n\r\n")[2])) == 50
        api.fail("/api/v1/namespaces", status=200, after=50, times=1)
        with Client(api) as client:
            client.ask("/api/v1/namespaces?watch=true", admin)
            came = b"".join(iter(client.read, b""))
            assert len(unchunked(came.partition(b"\r\n\r\n")[2])) == 50


def in_chunks(*chunks):
    """Give a handler that answers in these."""

    def answer(exchange):
        exchange.begin(200)
        for chunk in chunks:
            exchange.send(chunk)
        exchange.end()

    return answer


@pytest.mark.parametrize("reset", [True, False])
def test_what_is_counted_is_the_body_and_not_how_it_is_framed(reset):
    with KubeAPI() as api:
        api.on("/a", in_chunks(*[b"0123456789"] * 100))
        api.fail("/a", status=200, after=705, reset=reset)
        with Client(api) as client:
            client.ask("/a")
            came = until_reset(client) if reset else b"".join(iter(client.read, b""))
        assert unchunked(came.partition(b"\r\n\r\n")[2]) == b"0123456789" * 70 + b"01234"


def unchunked(data):
    """Give the body of whole chunks, without a last one."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        assert len(data) >= int(size, 16) + 2
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return body


def test_a_chunked_answer_that_is_shorter_ends_as_ever():
    with KubeAPI() as api:
        api.on("/a", in_chunks(b"abc"))
        api.fail("/a", status=200, after=4)
        assert get(api, "/a")[2] == b"abc"
        api.fail("/a", status=200, after=3)
        with Client(api) as client:
            client.ask("/a")
            came = b"".join(iter(client.read, b""))
        assert came.endswith(b"\r\n\r\n3\r\nabc\r\n")


def test_a_fault_for_one_method():
    with KubeAPI() as api:
        admin = {"Authorization": f"Bearer {api.admin_token}"}
        api.fail("/api/*", status=429, headers={"Retry-After": "1"}, method="DELETE")
        assert get(api, "/api/v1/namespaces", admin)[0] == 200
        api.fail("/api/*", status=429, headers={"Retry-After": "1"}, method="GET")
        status, headers, body = get(api, "/api/v1/namespaces", admin)
        assert (status, headers["Retry-After"], json.loads(body)["code"]) == (429, "1", 429)
        assert headers["Content-Type"] == "application/json"


@contextlib.contextmanager
def watching(api, path):
    """Begin a watch; gives its lines so far, and the rest at its end."""
    trust = ssl.create_default_context(cadata=api.ca_pem)
    client = http.client.HTTPSConnection("127.0.0.1", api.port, context=trust, timeout=20)
    with contextlib.closing(client):
        admin = {"Authorization": f"Bearer {api.admin_token}"}
        client.request("GET", f"{path}?watch=true", None, admin)
        yield client.getresponse()


def test_a_watch_ends_with_an_error_as_an_api_server_tells_one():
    with KubeAPI() as api, watching(api, "/api/v1/pods") as answer:
        said = "too old resource version: 1 (205)"
        assert api.end_watches(status=410, message=said) == 1
        assert [json.loads(line) for line in answer.read().splitlines()] == [
            {
                "type": "ERROR",
                "object": {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Failure",
                    "message": said,
                    "reason": "Expired",
                    "code": 410,
                },
            }
        ]
        assert api.end_watches(status=410) == 0


def test_watches_of_one_path_end_and_the_others_go_on():
    other = "/api/v1/namespaces/default/configmaps"
    with (
        KubeAPI() as api,
        watching(api, "/api/v1/pods") as pods,
        watching(api, other) as maps,
    ):
        assert api.end_watches("/api/v1/po*", status=500) == 1
        object = json.loads(pods.read())["object"]
        assert object["message"] == "the harness was told to end this watch with 500"
        api.apply({"kind": "ConfigMap", "metadata": {"name": "a"}})
        assert json.loads(maps.readline())["type"] == "ADDED"
        assert api.end_watches("/api/v1/pods") == 0
        assert api.end_watches(other, raw='{"type": "ADD') == 1
        assert maps.read() == b'{"type": "ADD'


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"path": "api/v1/pods"}, "'api/v1/pods' is the path of no request"),
        ({"status": 200}, "status of an ERROR event is a whole number from 400 to 599, not 200"),
        ({"status": "410"}, "status of an ERROR event .* not '410'"),
        ({"message": "too old"}, "message is what an ERROR event says: give its status too"),
        ({"status": 410, "raw": b"a"}, "raw, .* can't go with status: leave one out"),
        ({"raw": 3}, "raw is bytes or a text, not 3"),
    ],
)
def test_watches_end_in_ways_that_make_sense(how, said):
    with KubeAPI() as api, pytest.raises(HarnessError, match=said):
        api.end_watches(**how)


def test_a_fault_for_watches_alone():
    with KubeAPI() as api:
        admin = {"Authorization": f"Bearer {api.admin_token}"}
        api.fail("/api/v1/*", status=410, verb="watch")
        assert get(api, "/api/v1/namespaces", admin)[0] == 200
        status, _, body = get(api, "/api/v1/namespaces?watch=true", admin)
        assert (status, json.loads(body)["reason"]) == (410, "Expired")
        api.heal()
        api.fail(status=503, verb="list", every=2)
        paths = ["/api/v1/pods", "/api/v1/namespaces/default", "/api/v1/pods", "/version"]
        assert [get(api, path, admin)[0] for path in paths] == [200, 200, 503, 200]
        with pytest.raises(HarnessError, match="'lsit' is no verb of Kubernetes"):
            api.fail(verb="lsit")


def test_each_name_of_a_wrong_token_is_a_different_token(oidc):
    assert len({oidc.token(wrong=wrong, iat=1) for wrong in WRONG}) == len(WRONG)
    with pytest.raises(HarnessError, match="called 'rotten'; there are expired"):
        oidc.token(wrong="rotten")


def test_any_claim_can_be_missing_or_mistyped(oidc):
    def claims(wrong):
        return jwt.decode(oidc.token(wrong=wrong), options={"verify_signature": False})

    assert "groups" not in claims("missing-groups")
    assert not isinstance(claims("mistyped-groups")["groups"], list | str)


@pytest.fixture
def oidc():
    with Issuer() as issuer:
        yield issuer


def test_a_port_that_is_taken_is_a_sentence(oidc):
    other = Issuer(port=oidc.port)
    with pytest.raises(HarnessError, match=f"Issuer can't listen on 127.0.0.1, port {oidc.port}: "):
        other.start()
    other.close()


def test_a_port_and_a_name_of_ones_own():
    with Issuer(host="localhost") as issuer:
        assert issuer.url == f"https://localhost:{issuer.port}"
        assert json.loads(get(issuer, DISCOVERY)[2])["issuer"] == issuer.url


def test_a_request_says_what_it_was_answered_with(oidc):
    oidc.fail("jwks", status=503, times=1)
    get(oidc, "/keys")
    get(oidc, "/keys")
    oidc.fail("jwks", raw=b"?")
    with pytest.raises(http.client.BadStatusLine):
        get(oidc, "/keys")
    assert [request.status for request in oidc.requests] == [503, 200, None]
