"""``koproxy check`` and ``koproxy explain`` as processes, with an issuer and an API server."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import SCRIPTS, SECONDS, Running

KOPROXY = str(SCRIPTS / "koproxy")
HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
PROXY_MAY = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: proxy}
rules:
- {apiGroups: [""], resources: [users, groups], verbs: [impersonate]}
- apiGroups: [authentication.k8s.io]
  resources: [uids, userextras/example.org/tenant]
  verbs: [impersonate]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: proxy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: proxy}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: proxy}
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PROXY_MAY)
        yield api


@dataclass
class Ended:
    """What a command has left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Folder:
    """A working directory with files, in which commands are run."""

    path: Path

    def write(self, name: str, content: str | bytes | dict[str, Any]) -> str:
        if isinstance(content, dict):
            content = json.dumps(content)
        file = self.path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def run(self, *arguments: str, given: str | bytes = "", **how: Any) -> Ended:
        """Run a command to its end; nothing that it says holds a traceback."""
        given = given.encode() if isinstance(given, str) else given
        ended = subprocess.run(
            [KOPROXY, *arguments],
            input=given,
            cwd=self.path,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            **how,
        )
        out, err = ended.stdout.decode(), ended.stderr.decode()
        assert "Traceback" not in out + err
        assert "Unhandled" not in out + err
        signature = given.strip().rpartition(b".")[2].decode(errors="replace")
        assert len(signature) < 20 or signature not in out + err
        return Ended(ended.returncode, out, err)


def entry(issuer: Issuer, **more: Any) -> dict[str, Any]:
    return {
        "issuer": {
            "url": issuer.url,
            "audiences": ["kubernetes"],
            "certificateAuthority": issuer.ca_pem,
        },
        "claimMappings": {
            "username": {"expression": "'oidc:' + claims.sub"},
            "groups": {"expression": "dyn(claims.groups).map(g, 'team:' + g)"},
            **more,
        },
        "claimValidationRules": [
            {"expression": "claims.sub != 'joe'", "message": "joe has to stay outside"}
        ],
    }


@pytest.fixture
def folder(issuer: Issuer, tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("good.json", {**HEAD, "jwt": [entry(issuer)]})
    (tmp_path / "directory").mkdir()
    return folder


FILE = ("--authentication-config", "good.json")


def flags(issuer: Issuer) -> tuple[str, ...]:
    return (
        f"--oidc-issuer-url={issuer.url}",
        f"--oidc-ca-file={issuer.ca_file}",
        "--oidc-client-id=kubernetes",
        "--oidc-groups-claim=groups",
    )


# check


def test_a_good_file_is_good(issuer: Issuer, folder: Folder) -> None:
    ended = folder.run("check", *FILE)
    assert ended == Ended(
        0, f"--authentication-config good.json: good; issuers: {issuer.url}\n", ""
    )


def test_good_flags_are_good(issuer: Issuer, folder: Folder) -> None:
    ended = folder.run("check", *flags(issuer))
    assert (ended.status, ended.err) == (0, "")
    assert f"--oidc-issuer-url: good; issuers: {issuer.url}" in ended.out


def test_online_the_keys_are_fetched(issuer: Issuer, folder: Folder) -> None:
    for given in FILE, flags(issuer):
        ended = folder.run("check", "--online", *given)
        assert (ended.status, ended.err) == (0, "")
        assert re.search(rf"^{issuer.url}: [0-9]+ keys verify its tokens$", ended.out, re.MULTILINE)


def test_everything_that_is_wrong_is_said_with_its_place(folder: Folder) -> None:
    folder.write(
        "bad.yaml",
        """apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: http://issuer.example
    audiences: [kubernetes]
  claimMappings:
    username: {expression: claims.}
- issuer:
    url: https://other.example
    audiences: []
  claimMappings:
    username: {claim: sub}
""",
    )
    ended = folder.run(
        "check",
        "--online",
        "--authentication-config=bad.yaml",
        "--workers=0",
        "--tls-cert-file=nowhere",
        "--tls-private-key-file=nowhere",
        "--kubeconfig=directory",
    )
    assert (ended.status, ended.out) == (2, "")
    for words in (
        "line 5: jwt[0].issuer.url: ",
        "line 8: jwt[0].claimMappings.username.expression: ",
        "line 11: jwt[1].issuer.audiences: ",
        "jwt[1].claimMappings.username.prefix: ",
        "--workers 0",
        "--tls-cert-file nowhere",
        "--kubeconfig directory",
    ):
        assert words in ended.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((*FILE, "--oidc-client-id=x", "--oidc-groups-claim=y"), "--oidc-client-id, --oidc-groups"),
        ((*FILE, "--allow-reserved-groups=x"), "'x', which is not reserved"),
    ],
)
@pytest.mark.parametrize("command", [("check",), ("explain",), ("explain", "--claims=claims")])
def test_flags_that_do_not_fit_end_both_commands(
    folder: Folder, command: tuple[str, ...], given: tuple[str, ...], words: str
) -> None:
    folder.write("claims", {})
    ended = folder.run(*command, *given, given="a.b.c")
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--tls-min-version=VersionTLS9", "--tls-min-version VersionTLS9 is unknown"),
        ("--tls-cipher-suites=X", "X is unknown"),
        ("--tls-cert-file=x", "without --tls-private-key-file"),
        ("--secure-port=99999", "is not a port"),
        ("--max-header-bytes=-1", "--max-header-bytes"),
        ("--context=x", "--kubeconfig is not given"),
        ("--issuer-outage-tolerance=1y", "--issuer-outage-tolerance"),
    ],
)
def test_what_serve_would_refuse_is_refused(folder: Folder, given: str, words: str) -> None:
    ended = folder.run("check", *FILE, given)
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err


POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
TRACING = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "TracingConfiguration"}


def test_a_good_audit_policy_is_good_and_nothing_is_written(folder: Folder) -> None:
    folder.write("policy.json", POLICY)
    log = ("--audit-policy-file=policy.json", "--audit-log-path=logs/audit.log")
    ended = folder.run("check", *FILE, *log)
    assert ended.status == 0
    assert "--audit-policy-file policy.json: good; rules: 1\n" in ended.out
    assert not (folder.path / "logs").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--audit-policy-file=policy.json", "is given without a place for the events"),
        ("--audit-policy-file=nowhere --audit-log-path=-", "--audit-policy-file nowhere can't be"),
        ("--audit-policy-file=bad.json --audit-log-path=-", "rules[0].level: Invalid value"),
        ("--audit-log-path=- --audit-log-mode=odd", "--audit-log-mode is 'odd'"),
        ("--audit-webhook-config-file=nowhere", "nowhere"),
        ("--tracing-config-file=tracing.json", "samplingRatePerMillion: Invalid value"),
        ("--access-log-sample-rate=2", "--access-log-sample-rate 2 is not from 0 to 1"),
        ("--subject-access-review-timeout=0s", "--subject-access-review-timeout must be more"),
        ("--kube-client-qps=-1", "--kube-client-qps -1.0 is below 0"),
        ("--extra-user-headers=a", "--extra-user-headers has 'a', which is no KEY=VALUE"),
        ("--trusted-proxies=here", "--trusted-proxies"),
    ],
)
def test_what_serve_would_refuse_of_other_flags_is_refused(
    folder: Folder, given: str, words: str
) -> None:
    folder.write("policy.json", POLICY)
    folder.write("bad.json", {**POLICY, "rules": [{"level": "All"}]})
    folder.write("tracing.json", {**TRACING, "samplingRatePerMillion": -1})
    ended = folder.run("check", *FILE, *given.split())
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, bytes(range(256)), b'jwt: "\xe9"', b"[1]", b'{"a":', b"[" * 100_000, b"x"],
)
def test_files_that_are_none_are_refused_in_a_sentence(folder: Folder, content: bytes) -> None:
    folder.write("odd", content)
    ended = folder.run("check", "--authentication-config=odd")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("koproxy: --authentication-config odd: ")


def test_a_file_without_an_end_is_refused(folder: Folder) -> None:
    ended = folder.run("check", "--authentication-config=/dev/zero")
    assert (ended.status, ended.out) == (2, "")
    assert "/dev/zero has more than 4194304 bytes" in ended.err


# check, the API server


def kubeconfig(api: KubeAPI, folder: Folder, user: str | None) -> str:
    certificate = None if user is None else api.client_certificate(user)
    return folder.write("kubeconfig", api.kubeconfig(certificate=certificate))


def test_a_credential_that_may_all_is_good(api: KubeAPI, folder: Folder) -> None:
    given = (*FILE, "--kubeconfig", kubeconfig(api, folder, None))
    ended = folder.run("check", *given)
    assert (ended.status, ended.err) == (0, "")
    assert f"--kubeconfig kubeconfig: good; the API server is 127.0.0.1:{api.port}" in ended.out
    ended = folder.run("check", "--online", *given)
    assert (ended.status, ended.err) == (0, "")
    assert "lets the credential impersonate all that is needed" in ended.out


@pytest.mark.parametrize(
    ("key", "lacks"),
    [("example.org/tenant", ""), ("example.org/other", "userextras/example.org/other")],
)
def test_the_extra_fields_of_the_file_are_asked_for_by_name(
    issuer: Issuer, api: KubeAPI, folder: Folder, key: str, lacks: str
) -> None:
    extra = [{"key": key, "valueExpression": "claims.sub"}]
    folder.write("good.json", {**HEAD, "jwt": [entry(issuer, extra=extra)]})
    given = (*FILE, "--kubeconfig", kubeconfig(api, folder, "proxy"))
    assert folder.run("check", *given).status == 0
    ended = folder.run("check", "--online", *given)
    assert (ended.status, ended.err) == (1 if lacks else 0, "")
    assert lacks in ended.out
    assert ("the proxy may not impersonate" in ended.out) == bool(lacks)


def test_a_credential_that_may_nothing_lacks_all(api: KubeAPI, folder: Folder) -> None:
    given = (*FILE, "--kubeconfig", kubeconfig(api, folder, "nobody"))
    ended = folder.run("check", "--online", *given)
    assert (ended.status, ended.err) == (1, "")
    assert "may not impersonate users, groups, uids, extras" in ended.out


def test_an_api_server_that_is_down_is_said(api: KubeAPI, folder: Folder) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    folder.write("kubeconfig", api.kubeconfig(server=f"https://127.0.0.1:{port}"))
    ended = folder.run("check", "--online", *FILE, "--kubeconfig=kubeconfig")
    assert (ended.status, ended.err) == (1, "")
    assert "refused the connection" in ended.out
    assert api.admin_token not in ended.out


def test_a_credential_that_is_not_taken_is_said(api: KubeAPI, folder: Folder) -> None:
    folder.write("kubeconfig", api.kubeconfig(token="a-secret-token"))
    ended = folder.run("check", "--online", *FILE, "--kubeconfig=kubeconfig")
    assert (ended.status, ended.err) == (1, "")
    assert "the API server refuses the proxy's credential (401)" in ended.out
    assert "secret" not in ended.out


# explain


def test_a_good_token_is_accepted(issuer: Issuer, folder: Folder) -> None:
    token = issuer.token(sub="jane", groups=["dev"])
    folder.write("token", f"{token}\n")
    answers = [
        folder.run("explain", *FILE, given=token),
        folder.run("explain", *FILE, given=f"  Bearer {token}\r\n"),
        folder.run("explain", *FILE, "--token-file=token"),
        folder.run("explain", *FILE, "--token-file=-", given=f"bearer\t{token}"),
    ]
    for ended in answers:
        assert (ended.status, ended.err) == (0, "")
        assert token.rpartition(".")[2] not in ended.out
        assert ended.out.endswith(
            "\n\nImpersonate-User: oidc:jane\nImpersonate-Group: team:dev\n\naccepted\n"
        )
        assert "claims.sub != 'joe' gives true" in ended.out
        assert "\nno" not in ended.out


def test_flags_explain_as_a_file_does(issuer: Issuer, folder: Folder) -> None:
    ended = folder.run("explain", *flags(issuer), given=issuer.token(sub="jane", groups=["dev"]))
    assert (ended.status, ended.err) == (0, "")
    assert f"Impersonate-User: {issuer.url}#jane\nImpersonate-Group: dev\n" in ended.out


def test_json_has_all_of_it(issuer: Issuer, folder: Folder) -> None:
    token = issuer.token(sub="jäne", groups=["dev"])
    ended = folder.run("explain", "-o", "json", *FILE, given=token)
    assert (ended.status, ended.err) == (0, "")
    assert ended.document["accepted"] is True
    assert ended.document["user"] == {
        "username": "oidc:jäne",
        "uid": "",
        "groups": ["team:dev"],
        "extra": {},
    }
    assert ended.document["headers"] == [
        ["Impersonate-User", "oidc:jäne"],
        ["Impersonate-Group", "team:dev"],
    ]
    assert {step["good"] for step in ended.document["steps"]} == {True}
    assert "reason" not in ended.document


@pytest.mark.parametrize(
    ("changes", "step", "reason"),
    [
        ({"sub": "joe"}, "claimValidationRules", "joe has to stay outside"),
        ({"aud": "me"}, "audience", "another audience"),
        ({"lifetime": -60}, "time", "it has expired"),
        ({"groups": 5}, "groups", "the expression for the groups fails"),
        ({"iss": "https://other.example"}, "issuer", "from another issuer"),
        ({"header": {"kid": "none-such"}}, "signature", "no key of the name"),
        ({"groups": ["a\nb"]}, "identity", "control character"),
    ],
)
def test_a_refusal_has_its_step_and_its_reason(
    issuer: Issuer, folder: Folder, changes: dict[str, Any], step: str, reason: str
) -> None:
    token = issuer.token(**changes)
    ended = folder.run("explain", "-o", "json", *FILE, given=token)
    assert (ended.status, ended.err) == (1, "")
    assert ended.document["accepted"] is False
    assert reason in ended.document["reason"]
    bad = [each["name"] for each in ended.document["steps"] if not each["good"]]
    assert bad[0] == step
    assert not {"user", "headers"} & set(ended.document)
    ended = folder.run("explain", *FILE, given=token)
    assert (ended.status, ended.err) == (1, "")
    assert f"\nno  {step} " in ended.out
    assert reason in ended.out.splitlines()[-1]
    assert "Impersonate" not in ended.out


def test_groups_from_elsewhere_are_fetched(issuer: Issuer, folder: Folder) -> None:
    endpoint = issuer.claims_endpoint("a-secret", groups=["far"])
    token = issuer.token(
        groups=None,
        _claim_names={"groups": "src"},
        _claim_sources={"src": {"endpoint": endpoint, "access_token": "a-secret"}},
    )
    ended = folder.run("explain", *flags(issuer), given=token)
    assert (ended.status, ended.err) == (0, "")
    assert "Impersonate-Group: far\n" in ended.out
    assert "secret" not in ended.out


@pytest.mark.parametrize(
    "given",
    [b"x.y.z", b"a.b.c d", b"..", b"\xff\xfe", b"x" * 100_000, b"Authorization: Bearer a.b.c"],
)
def test_what_is_no_token_is_refused_as_one(folder: Folder, given: bytes) -> None:
    ended = folder.run("explain", "-o", "json", *FILE, given=given)
    assert (ended.status, ended.err) == (1, "")
    assert ended.document["steps"] == [
        {"name": "token", "good": False, "text": "it is not a JSON Web Token"}
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"Bearer", "is empty"),
        (b"Bearer \n", "is empty"),
        (b"abc.\ndef.g", "line break"),
        (b"\0\0", "control character"),
        (b"x" * 2_000_000, "has more than 1048576 bytes"),
    ],
)
def test_what_no_request_could_carry_is_misuse(folder: Folder, given: bytes, words: str) -> None:
    ended = folder.run("explain", *FILE, given=given)
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err
    assert ended.err.count("\n") == 1


def test_a_token_as_an_argument_is_not_repeated(issuer: Issuer, folder: Folder) -> None:
    token = issuer.token()
    for given in [token], ["--token-file", token], ["--claims", token], [f"--token={token}"]:
        ended = folder.run("explain", *FILE, *given)
        assert (ended.status, ended.out) == (2, "")
        assert token.rpartition(".")[2] not in ended.err


def test_nothing_of_a_token_moves_the_cursor(issuer: Issuer, folder: Folder) -> None:
    token = issuer.token(sub="j\x9b2J\u202eä", groups=[])
    ended = folder.run("explain", *FILE, given=token)
    assert (ended.status, ended.err) == (0, "")
    assert "Impersonate-User: oidc:j\\x9b2J\\u202eä\n" in ended.out
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = folder.run("explain", *FILE, given=token, env=ascii_only)
    assert "Impersonate-User: oidc:j\\x9b2J\\u202e\\xe4\n" in ended.out
    token = issuer.sign({"iss": issuer.url}, {"alg": "x\naccepted", "kid": "\x1b[2J"})
    ended = folder.run("explain", *FILE, given=token)
    assert ended.status == 1
    assert "\naccepted" not in ended.out
    assert "\x1b" not in ended.out


# explain, claims


def test_claims_are_explained_without_asking_anybody(issuer: Issuer, folder: Folder) -> None:
    before = len(issuer.requests)
    claims = {"iss": issuer.url, "aud": "kubernetes", "sub": "jane", "groups": ["dev"]}
    ended = folder.run("explain", *FILE, "--claims", folder.write("claims", claims))
    assert (ended.status, ended.err) == (0, "")
    assert "Impersonate-User: oidc:jane\nImpersonate-Group: team:dev\n" in ended.out
    ended = folder.run("explain", *FILE, "--claims=-", given=json.dumps({**claims, "sub": "joe"}))
    assert (ended.status, ended.err) == (1, "")
    assert ended.out.endswith("refused: joe has to stay outside\n")
    assert len(issuer.requests) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\0", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is no JSON object"),
        (b'"a"', "is no JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * 2_000_000, "has more than"),
    ],
)
def test_claims_that_are_no_object_are_misuse(folder: Folder, content: bytes, words: str) -> None:
    folder.write("claims", content)
    ended = folder.run("explain", *FILE, "--claims=claims")
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("flag", ["--claims", "--token-file", "--authentication-config"])
@pytest.mark.parametrize("name", ["nowhere", "directory", "a/b", "\x01" * 300])
def test_files_that_cannot_be_read_are_misuse(folder: Folder, flag: str, name: str) -> None:
    given = () if flag == FILE[0] else FILE
    ended = folder.run("explain", *given, flag, name, given="a.b.c")
    assert (ended.status, ended.out) == (2, "")
    assert f"{flag} {name} can't be read (" in ended.err


# Who does not answer


def test_an_issuer_that_is_down_is_the_reason(folder: Folder) -> None:
    with Issuer() as gone:
        folder.write("good.json", {**HEAD, "jwt": [entry(gone)]})
        token = gone.token()
    ended = folder.run("check", "--online", *FILE)
    assert (ended.status, ended.err) == (1, "")
    assert f"{gone_url(folder)}: discovery at " in ended.out
    assert "Connection was refused" in ended.out
    ended = folder.run("explain", *FILE, given=token)
    assert (ended.status, ended.err) == (1, "")
    assert "Connection was refused" in ended.out.splitlines()[-1]
    assert "\nno  signature " in ended.out


def gone_url(folder: Folder) -> str:
    document = json.loads((folder.path / "good.json").read_text())
    url: str = document["jwt"][0]["issuer"]["url"]
    return url


def test_an_issuer_with_another_authority_is_the_reason(issuer: Issuer, folder: Folder) -> None:
    with Issuer() as other:
        wrong = entry(issuer)
        wrong["issuer"]["certificateAuthority"] = other.ca_pem
    folder.write("good.json", {**HEAD, "jwt": [wrong]})
    for ended in (
        folder.run("check", "--online", *FILE),
        folder.run("explain", *FILE, given=issuer.token()),
    ):
        assert (ended.status, ended.err) == (1, "")
        assert "certificate verify failed" in ended.out


def test_only_the_issuer_of_the_token_is_waited_for(issuer: Issuer, folder: Folder) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        silent = entry(issuer)
        silent["issuer"]["url"] = f"https://127.0.0.1:{mute.getsockname()[1]}"
        folder.write("good.json", {**HEAD, "jwt": [silent, entry(issuer)]})
        ended = folder.run("explain", *FILE, given=issuer.token())
    assert (ended.status, ended.err) == (0, "")
    assert "(jwt[1])" in ended.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["check --online", "explain --token-file=token"])
def test_a_command_that_waits_can_be_interrupted(
    issuer: Issuer, folder: Folder, command: str, number: signal.Signals
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        silent = entry(issuer)
        url = silent["issuer"]["url"] = f"https://127.0.0.1:{mute.getsockname()[1]}"
        folder.write("good.json", {**HEAD, "jwt": [silent]})
        folder.write("token", issuer.token(iss=url))
        running = Running([KOPROXY, *command.split(), *FILE], folder.path)
        mute.settimeout(SECONDS)
        with closing(mute.accept()[0]) as asked:
            assert asked.recv(1)  # it waits for an answer now
            running.process.send_signal(number)
            assert running.process.wait(SECONDS) == 130
    running.end()
    assert [line for line in running.lines if "Traceback" in line or "Unhandled" in line] == []
    assert "refused: " not in "".join(running.lines)


# Where there is nobody to read or write to


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (f"{KOPROXY} explain --authentication-config good.json <&-", 2),
        (f"{KOPROXY} explain --authentication-config good.json --token-file token <&-", 0),
        (f"{KOPROXY} explain --authentication-config good.json --token-file token >&-", 0),
        (f"{KOPROXY} check --online --authentication-config good.json <&- >&- 2>&-", 0),
        (f"{KOPROXY} check --authentication-config nowhere >&- 2>&-", 2),
        (f"{KOPROXY} explain --authentication-config good.json --token-file token >/dev/full", 1),
        (f"{KOPROXY} check --authentication-config good.json >/dev/full", 1),
        (f"{KOPROXY} check --help >/dev/full", 1),
    ],
)
def test_closed_and_full_ends_are_no_crash(
    issuer: Issuer, folder: Folder, command: str, status: int, unbuffered: str
) -> None:
    folder.write("token", issuer.token())
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=folder.path,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == status, ended
    assert b"Traceback" not in ended.stderr
    assert ended.stderr.count(b"\n") <= 1


@pytest.mark.parametrize("command", ["check", "explain --token-file=token"])
def test_a_reader_that_has_gone_is_no_crash(issuer: Issuer, folder: Folder, command: str) -> None:
    folder.write("token", issuer.token())
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [KOPROXY, *command.split(), *FILE],
            cwd=folder.path,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_person_at_a_terminal_is_told_what_is_waited_for(folder: Folder) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"abc\n\x04")
        ended = subprocess.run(
            [KOPROXY, "explain", *FILE],
            stdin=theirs,
            cwd=folder.path,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 1
    assert ended.stderr == b"koproxy: --token-file is read from here, up to Ctrl-D\n"
