"""The command as other languages have it: a process, a line of JSON, and the control."""

import base64
import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import yaml

COMMAND = [sys.executable, "-W", "error", "-m", "koproxy_harness.command"]
CONFIGURATION = """
users:
  - {username: anna, password: secret, claims: {groups: [admins]}}
clients:
  - {id: app, public: true, redirect_uris: ["http://127.0.0.1/callback"]}
issuer: {path: /realms/test}
kube_api: {audience: cluster}
objects:
  - {apiVersion: v1, kind: Namespace, metadata: {name: demo}}
"""


class Harness:
    """A running command and its control."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.told = json.loads(process.stdout.readline())
        self.trust = ssl.create_default_context(cafile=self.told["ca_file"])

    def ask(self, url, body=None, token=None):
        """Give status and JSON; POST with a body, GET without."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(url, data, fields)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def control(self, path, body=None):
        status, answer = self.ask(self.told["control"]["url"] + path, body)
        assert status == 200, answer
        return answer

    def refused(self, path, body=None):
        status, answer = self.ask(self.told["control"]["url"] + path, body)
        return status, json.loads(answer)["error"]

    def api(self, path, token):
        return self.ask(self.told["kube_api"]["url"] + path, token=token)[0]

    def keys(self):
        return self.ask(self.told["issuer"]["url"] + "/keys")


@pytest.fixture
def start(tmp_path):
    """Starts the command with these words; what still runs at the end of the test is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*words):
        process = subprocess.Popen(
            [*COMMAND, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Iterator[Harness]:
    file = tmp_path_factory.mktemp("command") / "config.yaml"
    file.write_text(CONFIGURATION)
    words = [*COMMAND, "both", str(file), "--until-stdin-closes"]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as process:
        try:
            yield Harness(process)
            process.communicate(timeout=30)  # which closes its standard input
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def as_it_was(request):
    """Put the shared servers back, where a test has used them."""
    yield
    if "harness" in request.fixturenames:
        request.getfixturevalue("harness").control("/reset", {})


def test_what_is_printed(harness):
    told = harness.told
    assert set(told) == {"issuer", "kube_api", "control", "ca_pem", "ca_file"}
    assert told["issuer"]["url"].endswith("/realms/test")
    claims = jwt.decode(told["issuer"]["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["groups"], claims["aud"]) == ("anna", ["admins"], "cluster")
    assert harness.api("/api/v1/namespaces/demo", told["kube_api"]["admin_token"]) == 200
    assert harness.api("/version", told["issuer"]["token"]) == 200
    written = Path(told["kube_api"]["kubeconfig_file"]).read_text()
    assert written == told["kube_api"]["kubeconfig"]
    config = yaml.safe_load(told["kube_api"]["kubeconfig"])
    assert config["clusters"][0]["cluster"]["server"] == told["kube_api"]["url"]
    assert told["ca_pem"].count("BEGIN CERTIFICATE") == 3


def test_tokens_and_their_ways_to_be_wrong(harness):
    good = harness.control("/issuer/token", {"sub": "kate", "aud": "cluster"})["token"]
    assert harness.api("/version", good) == 200
    wrong = {"aud": "cluster", "wrong": "expired"}
    assert harness.api("/version", harness.control("/issuer/token", wrong)["token"]) == 401


def test_keys(harness):
    old = harness.keys()[1]["keys"]
    harness.control("/issuer/rotate-keys", {"keep_old": False})
    new = harness.keys()[1]["keys"]
    assert not {key["kid"] for key in old} & {key["kid"] for key in new}
    harness.control("/issuer/withdraw-keys", {})
    assert harness.keys()[1] == {"keys": []}
    harness.control("/issuer/rotate-keys", {})


def test_faults_of_both(harness):
    harness.control("/issuer/fail", {"what": "jwks", "status": 503, "body": "busy", "times": 1})
    assert harness.keys() == (503, b"busy")
    assert harness.keys()[0] == 200
    admin = harness.told["kube_api"]["admin_token"]
    harness.control("/kube-api/fail", {"path": "/version", "status": 429})
    assert harness.api("/version", admin) == 429
    harness.control("/kube-api/heal", {})
    assert harness.api("/version", admin) == 200


def test_what_was_refused_and_how_many_are_connected(harness):
    address = ("127.0.0.1", urllib.parse.urlsplit(harness.told["kube_api"]["url"]).port)
    known = len(harness.control("/kube-api/refused")["refused"])
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            plain = socket.create_connection(address)
            client = harness.trust.wrap_socket(plain, server_hostname="127.0.0.1")
            stack.enter_context(client)
            client.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(13) == b"HTTP/1.1 403 "
        assert harness.control("/kube-api/connections")["connections"] >= 2
        client.sendall(b"GET /a HTTP/1.1\nHost: a\r\n\r\n")
        while client.recv(1000):
            pass
    refused = harness.control("/kube-api/refused")["refused"][known:]
    assert [each["reason"] for each in refused] == [
        "not a request line: b'GET /a HTTP/1.1\\nHost: a'"
    ]
    assert base64.b64decode(refused[0]["raw_base64"]) == b"GET /a HTTP/1.1\nHost: a\r\n\r\n"
    assert refused[0]["connection"] > 0
    assert set(harness.control("/issuer/connections")) == {"connections"}
    assert harness.control("/issuer/refused") == {"refused": []}


def test_faults_for_a_verb_and_the_ends_of_watches(harness):
    admin = harness.told["kube_api"]["admin_token"]
    harness.control("/kube-api/fail", {"path": "*", "verb": "list", "status": 503})
    harness.control("/issuer/fail", {"what": "jwks", "status": 200, "body": {"keys": []}})
    assert harness.keys() == (200, {"keys": []})
    assert harness.api("/api/v1/namespaces", admin) == 503
    assert harness.api("/api/v1/namespaces/demo", admin) == 200
    watch = urllib.request.Request(
        harness.told["kube_api"]["url"] + "/api/v1/namespaces/demo/pods?watch=true",
        headers={"Authorization": f"Bearer {admin}"},
    )
    with urllib.request.urlopen(watch, context=harness.trust) as answer:
        asked = {"path": "/api/*", "status": 410, "message": "too old"}
        assert harness.control("/kube-api/end-watches", asked) == {"ended": 1}
        told = json.load(answer)
        assert (told["type"], told["object"]["message"]) == ("ERROR", "too old")
    refused = harness.refused("/kube-api/end-watches", {"path": "pods"})
    assert refused == (
        400,
        "/kube-api/end-watches: 'pods' is the path of no request: a pattern begins with / or *, "
        "as in '/api/v1/pods' or '*/pods'",
    )
    assert harness.refused("/kube-api/fail", {"verb": "look"})[0] == 400


def test_clock(harness):
    before = harness.control("/issuer/clock", {})["now"]
    assert harness.control("/issuer/clock", {"move": 3600})["now"] >= before + 3600
    late = harness.control("/issuer/clock", {"set": "2001-01-01T00:00:00Z"})["now"]
    assert 978307200 <= late < 978307300
    token = harness.control("/issuer/token", {})["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert 978307200 <= claims["iat"] < 978307300
    harness.control("/reset", {})
    assert harness.control("/issuer/clock", {"move": 0})["now"] >= before


def test_requests_are_told_with_every_byte(harness):
    since = harness.control("/kube-api/requests")["next"]
    harness.api("/version?a=b", harness.told["kube_api"]["admin_token"])
    told = harness.control(f"/kube-api/requests?since={since}&wait=10")
    assert told["next"] == since + 1
    (request,) = told["requests"]
    assert (request["number"], request["method"], request["path"]) == (since, "GET", "/version")
    assert (request["query"], request["status"], request["body"]) == ({"a": "b"}, 200, "")
    assert base64.b64decode(request["raw_base64"]).startswith(b"GET /version?a=b HTTP/1.1\r\n")
    assert harness.control(f"/kube-api/requests?since={since + 1}&wait=0.01")["requests"] == []


def test_objects(harness):
    text = b"kind: Namespace\nmetadata: {name: one}\n---\nkind: Namespace\nmetadata: {name: two}\n"
    harness.control("/kube-api/apply", text)
    harness.control("/kube-api/apply", [{"kind": "Namespace", "metadata": {"name": "three"}}])
    for name in ("one", "two", "three"):
        admin = harness.told["kube_api"]["admin_token"]
        assert harness.api(f"/api/v1/namespaces/{name}", admin) == 200
    config = harness.control("/kube-api/kubeconfig?token=abc")["kubeconfig"]
    assert yaml.safe_load(config)["users"][0]["user"] == {"token": "abc"}
    found = harness.control("/kube-api/find?kind=Namespace&name=two")["object"]
    assert found["status"] == {"phase": "Active"}
    harness.control("/kube-api/delete", {"kind": "Namespace", "name": "two"})
    assert harness.control("/kube-api/find?kind=Namespace&name=two")["object"] is None


def test_pods_say_and_do_what_they_are_told(harness):
    admin = harness.told["kube_api"]["admin_token"]
    harness.control(
        "/kube-api/apply",
        [{"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "a"}]}}],
    )
    harness.control("/kube-api/logs", {"pod": "web", "text": "one\n"})
    harness.control("/kube-api/append-log", {"pod": "web", "text": "two\n"})
    harness.control("/kube-api/end-log", {"pod": "web"})
    with pytest.raises(json.JSONDecodeError) as read:  # it is text, and not JSON
        harness.api("/api/v1/namespaces/default/pods/web/log", admin)
    assert read.value.doc in ("one\ntwo\n", b"one\ntwo\n")
    harness.control("/kube-api/exec", {"stdout": "hi", "stderr": "oh", "exit_code": 3})
    harness.control("/kube-api/end-watches", {})


def test_discovery_is_changed_and_put_back(harness):
    harness.control("/issuer/publish", {"issuer": "https://other.invalid"})
    url = harness.told["issuer"]["url"]
    discovery = f"{url}/.well-known/openid-configuration"
    assert harness.ask(discovery)[1]["issuer"] == "https://other.invalid"
    harness.control("/reset", {})
    assert harness.ask(discovery)[1]["issuer"] == url


def test_claims_of_a_user_and_a_log_in(harness):
    harness.control("/issuer/claims", {"username": "anna", "groups": ["auditors"]})
    url = harness.told["issuer"]["url"] + "/authorize?response_type=code&client_id=app&scope=openid"
    url += "&redirect_uri=http://127.0.0.1/callback&code_challenge_method=S256&code_challenge="
    url += "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    login = {"url": url, "username": "anna", "password": "secret"}
    location = harness.control("/issuer/log-in", login)["location"]
    assert location.startswith("http://127.0.0.1/callback?code=")
    assert harness.refused("/issuer/claims", {"username": "nobody"})[0] == 400


def test_away_and_back(harness):
    harness.control("/issuer/stop", {})
    with pytest.raises(urllib.error.URLError):
        harness.keys()
    harness.control("/issuer/start", {})
    assert harness.keys()[0] == 200


def test_the_control_says_what_there_is(harness):
    calls = {each["path"]: each for each in harness.control("/")["calls"]}
    assert calls["/issuer/rotate-keys"]["fields"] == ["keep_old"]
    assert calls["/kube-api/requests"]["method"] == "GET"


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/issuer/tokn", {}, 404, "/issuer/tokn is not known; did you mean /issuer/token?"),
        ("/issuer/token", None, 405, "/issuer/token is asked with POST, not with GET"),
        ("/issuer/token", {"wrong": "no"}, 400, "/issuer/token: no way to be wrong is called"),
        ("/issuer/token", {"lifetime": "1"}, 400, "/issuer/token: lifetime must be a number"),
        ("/issuer/token", b'{"lifetime": 1e999}', 400, "/issuer/token: lifetime is a number of"),
        ("/issuer/log-in", {"url": "https://["}, 400, "/issuer/log-in could not be done with"),
        ("/issuer/token", b'{"lifetime": NaN}', 400, "/issuer/token: the body is not JSON"),
        ("/issuer/fail", {"what": "jwks", "statsu": 1}, 400, "/issuer/fail: statsu is not known"),
        ("/issuer/fail", {"what": "tea"}, 400, "/issuer/fail: 'tea' can't fail"),
        ("/issuer/heal", b"[]", 400, "/issuer/heal: the body must be a JSON object"),
        ("/issuer/heal", b"\xff", 400, "/issuer/heal: the body is not JSON in UTF-8"),
        ("/issuer/requests?since=-1", None, 400, "/issuer/requests: since and wait are 0 or more"),
        ("/issuer/requests?form=1", None, 400, "/issuer/requests: form is not known"),
        ("/kube-api/apply", b"{", 400, "/kube-api/apply: the manifest is not YAML: "),
        ("/kube-api/apply", b"a", 400, "/kube-api/apply: the body must be Kubernetes objects"),
        ("/kube-api/apply", b"", 400, "/kube-api/apply: the body must be Kubernetes objects"),
    ],
)
def test_a_wrong_call_gets_a_sentence(harness, path, body, status, said):
    answered, sentence = harness.refused(path, body)
    assert answered == status
    assert sentence.startswith(said)
    assert "\n" not in sentence


def test_the_printed_json_is_one_line_and_a_signal_ends_it_all(start):
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start("issuer")
        told = Harness(process).told
        assert set(told) == {"issuer", "control", "ca_pem", "ca_file"}
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
        assert (process.returncode, rest, errors) == (0, "", "")
        assert not Path(told["ca_file"]).exists()


def test_it_ends_with_whoever_started_it(start):
    process = start("kube-api", "--until-stdin-closes")
    assert set(Harness(process).told) == {"kube_api", "control", "ca_pem", "ca_file"}
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_ports_and_a_host_name(start):
    free = Harness(start("both")).told
    ports = [free[name]["url"].rpartition(":")[2] for name in ("issuer", "kube_api", "control")]
    taken = start("issuer", "--issuer-port", ports[0])
    _, errors = taken.communicate(timeout=30)
    assert taken.returncode == 1
    assert errors.startswith(f"koproxy-harness: Issuer can't listen on 127.0.0.1, port {ports[0]}")
    assert errors.count("\n") == 1
    named = Harness(start("issuer", "--host", "localhost"))
    assert named.told["issuer"]["url"].startswith("https://localhost:")
    assert named.keys()[0] == 200


@pytest.mark.parametrize(
    ("words", "configuration", "said"),
    [
        (["issuers"], "", "argument servers: invalid choice: 'issuers'"),
        ([], "", "the following arguments are required: servers"),
        (["issuer", "--issuer-port", "65536"], "", "argument --issuer-port: invalid"),
        (["issuer", "{}"], "usres: []", ", line 1: usres is not known; did you mean users?"),
        (["issuer", "{}"], "users: [{username: a}, {username: a}]", "two users called 'a'"),
        (
            ["issuer", "{}"],
            "clients: [{id: a, grant_types: [b]}]",
            "a grant that there is not, 'b'",
        ),
        (["issuer", "{}"], "issuer: {path: a}", "the issuer can't be made: the path of an issuer"),
        (["kube-api", "{}"], "objects:\n- {kind: Podd}", ", line 2: objects[0] is not taken: the"),
        (["issuer", "none.yaml"], "", "none.yaml can't be read: No such file or directory"),
    ],
)
def test_wrong_usage_and_wrong_files_are_sentences(start, tmp_path, words, configuration, said):
    file = tmp_path / "config.yaml"
    file.write_text(configuration)
    process = start(*(word.replace("{}", str(file)) for word in words))
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert said in errors.splitlines()[-1]
    assert "Traceback" not in errors
