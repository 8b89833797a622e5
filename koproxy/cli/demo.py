"""``koproxy demo``: the main job, to be seen and tried in one command.

An issuer and a mock API server run in this process, koproxy itself runs as a child between them.
What is printed is checked too: a demo that shows something else than it says ends with status 1.
"""

import contextlib
import http.client
import json
import signal
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from koproxy.cli.child import Child, ChildError
from koproxy.errors import ConfigurationError

if TYPE_CHECKING:
    from koproxy_harness import Issuer, KubeAPI, Request

_PODS = "/api/v1/namespaces/demo/pods"
_SECRETS = "/api/v1/namespaces/demo/secrets"
_REFUSED = "Impersonation requests are disabled when using kube-oidc-proxy"
_DAY = 24 * 3600  # seconds
_TIMEOUT = 20.0  # seconds, for one call
_OBJECTS = """
kind: Namespace
metadata: {name: demo}
---
kind: Pod
metadata: {name: web, namespace: demo}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looks-at-pods, namespace: demo}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dev-looks-at-pods, namespace: demo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks-at-pods}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}
"""


class Unexpected(Exception):
    """Something went otherwise than the demo says."""


class _Header(NamedTuple):
    name: str
    value: str
    shown: str  # what is printed for the value: a token is not


def _bearer(token: str, shown: str) -> _Header:
    return _Header("Authorization", f"Bearer {token}", f"Bearer {shown}")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="End after the calls; status 0 if all went as printed.")
def demo(once: bool) -> int:
    """Show an issuer, an API server and koproxy between them at work."""
    try:
        from koproxy_harness import Issuer, KubeAPI  # noqa: PLC0415 - only a demo needs it
    except ImportError:
        raise ConfigurationError(
            "the demo needs koproxy-harness; install it with: pip install koproxy-harness"
        ) from None
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, _end))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="koproxy-demo-")))
            issuer = stack.enter_context(Issuer())
            api = stack.enter_context(KubeAPI())
            api.apply(_OBJECTS)
            koproxy = stack.enter_context(Child(_flags(issuer, api, folder)))
            koproxy.wait_until_ready()
            _Tour(issuer, api, koproxy).walk()
            click.echo("\nAll went as printed.")
            if not once:
                _hand_over(issuer, api, koproxy, folder)
    except (Unexpected, ChildError) as wrong:
        click.echo(f"\nkoproxy demo: not as it should be: {wrong}", err=True)
        return 1
    return 0


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _flags(issuer: "Issuer", api: "KubeAPI", folder: Path) -> list[str]:
    kubeconfig = folder / "koproxy.kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(api.kubeconfig())
    serving = api.server_certificate("127.0.0.1", "localhost")
    return [
        f"--oidc-issuer-url={issuer.url}",
        f"--oidc-ca-file={issuer.ca_file}",
        "--oidc-client-id=kubernetes",
        "--oidc-username-prefix=-",
        "--oidc-groups-claim=groups",
        f"--kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--readiness-probe-port=0",
        f"--cert-dir={folder}",
        f"--tls-cert-file={serving.cert_file}",
        f"--tls-private-key-file={serving.key_file}",
    ]


def _hand_over(issuer: "Issuer", api: "KubeAPI", koproxy: Child, folder: Path) -> None:
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    token = issuer.token(sub="jane", groups=["dev"], lifetime=_DAY)
    kubeconfig.write_text(api.kubeconfig(token=token, server=koproxy.url))
    click.echo(
        f"\nIt runs on until Ctrl-C. As jane, with kubectl:\n\n"
        f"  kubectl --kubeconfig {kubeconfig} auth whoami\n"
        f"  kubectl --kubeconfig {kubeconfig} get pods -n demo\n"
    )
    try:
        ended = koproxy.wait()
    except KeyboardInterrupt:
        click.echo()
    else:
        raise Unexpected(f"koproxy has ended, with status {ended}")


class _Tour:
    """The calls, one after the other, each printed as a person would make it."""

    def __init__(self, issuer: "Issuer", api: "KubeAPI", koproxy: Child) -> None:
        self._issuer = issuer
        self._api = api
        self._koproxy = koproxy
        self._tls = ssl.create_default_context(cadata=api.ca_pem)
        self._number = 0

    def walk(self) -> None:
        """Make every call; raises `Unexpected` at the first that goes otherwise."""
        click.echo(
            f"issuer      {self._issuer.url}  signs tokens, and publishes its keys\n"
            f"API server  {self._api.url}  trusts koproxy, and knows no token\n"
            f"koproxy     {self._koproxy.url}  verifies tokens, and says who asks"
        )
        jane = _bearer(self._issuer.token(sub="jane", groups=["dev"]), "$JANE")
        expired = _bearer(self._issuer.token(sub="jane", wrong="expired"), "$EXPIRED")
        admin = _Header("Impersonate-User", "admin", "admin")
        self._allowed("jane, of the group dev, lists the pods", jane)
        self._refused("somebody without a token", [], 401)
        self._refused("jane, with a token that has expired", [expired], 401)
        self._refused("jane, who would rather be admin", [jane, admin], 403, _REFUSED)
        self._forbidden("jane asks for secrets, of which her roles say nothing", jane)
        self._watch("jane watches the pods while one is made", jane)

    def _allowed(self, title: str, jane: _Header) -> None:
        self._title(title)
        with self._call(_PODS, [jane]) as answer:
            pods = [each["metadata"]["name"] for each in _json(answer)["items"]]
            self._say(f"{answer.status} {answer.reason}, with the pods: {', '.join(pods)}")
            self._expect(answer.status, 200, "the status")
            self._expect(pods, ["web"], "the pods")
        arrived = self._arrived()[-1]
        identity = [
            (name, value)
            for name, value in arrived.headers
            if name.lower().startswith("impersonate-")
        ]
        self._say("what arrived at the API server:")
        self._say(f"  {arrived.method} {arrived.target}")
        self._say("  Authorization: Bearer (koproxy's own)")
        for name, value in identity:
            self._say(f"  {name}: {value}")
        credential = arrived.values("authorization")
        if credential != [f"Bearer {self._api.admin_token}"]:
            raise Unexpected("the credential that arrived is not koproxy's own, or not alone")
        groups = arrived.values("impersonate-group")
        self._expect(arrived.values("impersonate-user"), ["jane"], "the user")
        self._expect([each for each in groups if not each.startswith("system:")], ["dev"], "groups")

    def _refused(
        self, title: str, headers: list[_Header], status: int, message: str | None = None
    ) -> None:
        self._title(title)
        before = len(self._arrived())
        with self._call(_PODS, headers) as answer:
            said = _json(answer)
            why = said["message"].removeprefix(f"{answer.reason}: ")
            self._say(f"{answer.status} {answer.reason}: {why}")
            self._expect(answer.status, status, "the status")
            self._expect(said["code"], status, "the code of the Status object")
            if message is not None:
                self._expect(said["message"], message, "the message")
        self._say("nothing of it arrived at the API server")
        self._expect(len(self._arrived()), before, "the requests that arrived")

    def _forbidden(self, title: str, jane: _Header) -> None:
        self._title(title)
        with self._call(_SECRETS, [jane]) as answer:
            said = _json(answer)
            self._say(f"{answer.status} {answer.reason}: {said['message']}")
            self._expect(answer.status, 403, "the status")
            self._expect('User "jane" cannot list' in said["message"], True, "who is refused")
        self._say("it is the API server that says so: the cluster's RBAC decides")
        self._expect(self._api.requests[-1].path, _SECRETS, "what arrived last")

    def _watch(self, title: str, jane: _Header) -> None:
        self._title(title)
        with self._call(f"{_PODS}?watch=true", [jane]) as answer:
            self._expect(answer.status, 200, "the status")
            self._event(answer, "web")
            self._say("(the watch is open; now somebody makes the pod 'late')")
            self._api.apply({"kind": "Pod", "metadata": {"name": "late", "namespace": "demo"}})
            self._event(answer, "late")

    def _event(self, answer: http.client.HTTPResponse, expected: str) -> None:
        event = json.loads(answer.readline())
        name = event["object"]["metadata"]["name"]
        self._say(f"{event['type']} {name}")
        self._expect((event["type"], name), ("ADDED", expected), "the event")

    @contextlib.contextmanager
    def _call(self, path: str, headers: list[_Header]) -> Iterator[http.client.HTTPResponse]:
        shown = "".join(f' -H "{header.name}: {header.shown}"' for header in headers)
        self._say(f"$ curl{shown} '{self._koproxy.url}{path}'")
        host = self._koproxy.url.removeprefix("https://")
        connection = http.client.HTTPSConnection(host, timeout=_TIMEOUT, context=self._tls)
        try:
            connection.request("GET", path, headers={each.name: each.value for each in headers})
            yield connection.getresponse()
        except (OSError, ValueError, LookupError, http.client.HTTPException) as error:
            raise Unexpected(f"GET {path} failed: {error!r}") from error
        finally:
            connection.close()

    def _arrived(self) -> list["Request"]:
        return [request for request in self._api.requests if request.path == _PODS]

    def _title(self, text: str) -> None:
        self._number += 1
        click.echo(f"\n{self._number}. {text}")

    def _say(self, text: str) -> None:
        click.echo(f"   {text}")

    def _expect(self, given: object, expected: object, what: str) -> None:
        if given != expected:
            raise Unexpected(f"{what} should be {expected!r}, and is {given!r}")


def _json(answer: http.client.HTTPResponse) -> Any:
    return json.loads(answer.read())
