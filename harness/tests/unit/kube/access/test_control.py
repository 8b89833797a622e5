"""Who makes a request, by certificates, tokens and nothing, and what their reviews are told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from koproxy_harness import Issuer
from koproxy_harness.kube.access.control import Access
from koproxy_harness.kube.access.issuer_tokens import TokenRules
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal
from koproxy_harness.serving.exchange import Request
from koproxy_harness.serving.parsing import Head

Make = Callable[..., Any]

ACCOUNT = {
    "kind": "ServiceAccount",
    "metadata": {"name": "bot", "namespace": "demo", "uid": "u-1"},
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "demo", "uid": "u-2"},
    "spec": {"serviceAccountName": "bot", "nodeName": "n1"},
}
TOKENS = RequestInfo("create", "", True, "", "v1", "demo", "serviceaccounts", "token", "bot")


def asked(*fields: tuple[str, str], peer: Any = (None,), body: Any = None) -> Request:
    request = Request(Head("POST", "/", "1.1", fields, b""), 1, *peer)
    request.add(json.dumps(body).encode() if body is not None else b"", b"")
    return request


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token}")


class Answered:
    """Stands for an exchange, and keeps the answer."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.code = 0
        self.body: Any = None

    def respond(self, code: int, body: Any) -> None:
        self.code, self.body = code, body


def review(access: Access, info: RequestInfo, body: Any, user: Any = None) -> Any:
    exchange: Any = Answered(asked(body=body))
    user = user or access.authenticate(asked(bearer("admin")))
    access.reviews.answer(exchange, info, user)
    assert exchange.code == 201
    return exchange.body


def token_for(access: Access, spec: Any) -> str:
    return str(review(access, TOKENS, {"spec": spec})["status"]["token"])


def test_who_says_nothing_is_anonymous(store: Make) -> None:
    access = Access(store(), "admin")
    user = access.authenticate(asked())
    assert (user.username, user.groups) == ("system:anonymous", ("system:unauthenticated",))
    access.authorize(user, RequestInfo("get", "/version"))
    with pytest.raises(Refusal, match="cannot get path"):
        access.authorize(user, RequestInfo("get", "/api"))


def test_a_certificate_goes_before_a_token(store: Make) -> None:
    access = Access(store(), "admin")
    request = asked(bearer("wrong"), peer=("kate", ("dev", "ops"), "abc"))
    user = access.authenticate(request)
    assert user.username == "kate"
    assert user.groups == ("dev", "ops", "system:authenticated")
    assert dict(user.extra)["authentication.kubernetes.io/credential-id"] == ("X509SHA256=abc",)


def browser(*protocols: str, upgrade: str = "websocket") -> Request:
    return asked(
        ("Connection", "Upgrade"),
        ("Upgrade", upgrade),
        ("Sec-WebSocket-Protocol", ", ".join(protocols)),
    )


def test_a_browser_s_token(store: Make) -> None:
    access = Access(store(), "admin")
    encoded = base64.urlsafe_b64encode(b"admin").decode().rstrip("=")
    token = f"base64url.bearer.authorization.k8s.io.{encoded}"
    assert access.authenticate(browser("v5.channel.k8s.io", token)).username == "admin"
    for wrong in (browser(token), browser("v5.channel.k8s.io", token, token)):
        with pytest.raises(Refusal, match="Unauthorized"):
            access.authenticate(wrong)
    other = browser("v5.channel.k8s.io", token, upgrade="SPDY/3.1")
    assert access.authenticate(other).username == "system:anonymous"


def test_the_tokens_of_an_issuer(store: Make) -> None:
    with Issuer() as issuer:
        rules = TokenRules(issuer, "kubernetes", "sub", "groups")
        now = issuer.clock.now()
        access = Access(store(), "admin", rules, lambda: now)
        token = issuer.token(sub="jane", groups=["dev"], jti="7", lifetime=60)
        user = access.authenticate(asked(bearer(token)))
        assert (user.username, user.groups) == ("jane", ("dev", "system:authenticated"))
        assert user.extra == (("authentication.kubernetes.io/credential-id", ("JTI=7",)),)
        one = access.authenticate(asked(bearer(issuer.token(sub="jane", groups="dev"))))
        assert one.groups == ("dev", "system:authenticated")
        for wrong in (
            issuer.token(aud="other"),
            issuer.token(sub=None),
            issuer.token(groups=[7]),
            *(issuer.token(wrong=name) for name in ("expired", "alg-none", "unknown-key")),
        ):
            with pytest.raises(Refusal) as refused:
                access.authenticate(asked(bearer(wrong)))
            assert refused.value.code == 401
        issuer.clock.move(61)
        assert access.authenticate(asked(bearer(token))).username == "jane"
        now += 61  # an API server goes by its own clock
        with pytest.raises(Refusal):
            access.authenticate(asked(bearer(token)))


def test_an_address_that_is_not_verified_is_nobody_s(store: Make) -> None:
    with Issuer() as issuer:
        access = Access(store(), "x", TokenRules(issuer, "kubernetes", "email", "groups"))
        good = issuer.token(email="j@example.org", email_verified=True)
        assert access.authenticate(asked(bearer(good))).username == "j@example.org"
        with pytest.raises(Refusal):
            access.authenticate(
                asked(bearer(issuer.token(email="j@example.org", email_verified=False)))
            )


def test_a_service_account_s_token_ends_with_its_time_and_its_account(store: Make) -> None:
    now = [1000.0]
    objects = store(ACCOUNT)
    access = Access(objects, "admin", now=lambda: now[0])
    request = asked(bearer(token_for(access, {"expirationSeconds": 600})))
    user = access.authenticate(request)
    assert user.username == "system:serviceaccount:demo:bot"
    assert user.uid == "u-1"
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:demo",
        "system:authenticated",
    )
    now[0] += 600 + 61  # a minute is forgiven
    with pytest.raises(Refusal, match="Unauthorized"):
        access.authenticate(request)
    now[0] -= 2
    assert access.authenticate(request) == user
    objects.items[-1] = {**ACCOUNT, "metadata": {**ACCOUNT["metadata"], "uid": "another"}}
    with pytest.raises(Refusal):
        access.authenticate(request)


def test_a_token_of_another_server_or_for_another_audience(store: Make) -> None:
    access, other = Access(store(ACCOUNT), "admin"), Access(store(ACCOUNT), "admin")
    for token in (token_for(other, {}), token_for(access, {"audiences": ["vault"]})):
        with pytest.raises(Refusal):
            access.authenticate(asked(bearer(token)))


def test_a_token_that_is_bound_to_a_pod(store: Make) -> None:
    objects = store(ACCOUNT, POD)
    access = Access(objects, "admin")
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "web"}
    token = token_for(access, {"boundObjectRef": reference})
    claims = jwt.decode(token, options={"verify_signature": False})["kubernetes.io"]
    assert claims["pod"] == {"name": "web", "uid": "u-2"}
    assert claims["node"] == {"name": "n1"}
    extra = dict(access.authenticate(asked(bearer(token))).extra)
    assert extra["authentication.kubernetes.io/pod-uid"] == ("u-2",)
    assert extra["authentication.kubernetes.io/node-name"] == ("n1",)
    objects.items.pop()
    with pytest.raises(Refusal, match="Unauthorized"):
        access.authenticate(asked(bearer(token)))
    for wrong, code in ((reference, 404), ({**reference, "kind": "ConfigMap"}, 400)):
        with pytest.raises(Refusal) as refused:
            token_for(access, {"boundObjectRef": wrong})
        assert refused.value.code == code


def test_a_review_that_can_t_be_read(store: Make) -> None:
    access = Access(store(), "admin")
    group = "authentication.k8s.io"
    info = RequestInfo("create", "", True, group, "v1", "", "selfsubjectreviews")
    assert access.reviews.knows(info)
    for body, kind, code in (
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"spec": "x"}', "application/json", 400),
        (b"k8s", "application/vnd.kubernetes.protobuf", 400),
        (b"{}", "text/plain", 415),
        (b'{"kind": "Pod"}', "application/json", 400),
    ):
        exchange: Any = Answered(asked(("Content-Type", kind)))
        exchange.request.add(body, body)
        with pytest.raises(Refusal) as refused:
            access.reviews.answer(exchange, info, access.authenticate(asked()))
        assert refused.value.code == code
    with pytest.raises(Refusal, match="does not allow this method"):
        review(access, RequestInfo("list", "", True, group, "v1", "", "selfsubjectreviews"), {})


def test_what_clients_write_for_nothing_is_no_metadata(store: Make) -> None:
    access = Access(store(), "admin")
    group = "authorization.k8s.io"
    asked = {"verb": "get", "resource": "pods", "namespace": "demo"}
    for resource, namespace in (
        ("localsubjectaccessreviews", "demo"),
        ("subjectaccessreviews", ""),
    ):
        info = RequestInfo("create", "", True, group, "v1", namespace, resource)
        body = {
            "metadata": {"creationTimestamp": None, "namespace": namespace},
            "spec": {"user": "root", "groups": ["system:masters"], "resourceAttributes": asked},
        }
        assert review(access, info, body)["status"] == {"allowed": True}
        body["metadata"] = {"name": "x"}
        with pytest.raises(Refusal, match="must be empty"):
            review(access, info, body)


def test_the_mode_that_worked_last_says_why_not(store: Make, granted: Make) -> None:
    rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
    objects = store(*granted("kate", "", {**rule, "resourceNames": ["jane"]}))
    access = Access(objects, "admin")
    info = RequestInfo("list", "", True, "", "v1", "demo", "pods")
    kate = access.authenticate(asked(peer=("kate", (), "")))

    def refusal() -> str:
        with pytest.raises(Refusal) as refused:
            access.acting(kate, asked(("Impersonate-User", "bert")), info)
        return str(refused.value)

    assert "cannot impersonate-on:user-info:list" in refusal()
    assert access.acting(kate, asked(("Impersonate-User", "jane")), info).username == "jane"
    assert refusal().startswith('users "bert" is forbidden: User "kate" cannot impersonate ')
    assert access.acting(kate, asked(), info) is kate


def test_changing_what_gives_nobody_anything(store: Make, granted: Make) -> None:
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    access = Access(store(), "admin")
    jane = access.authenticate(asked(peer=("jane", (), "")))
    group = "rbac.authorization.k8s.io"
    info = RequestInfo("update", "", True, group, "v1", "demo", "roles", "", "given")
    old = granted("jane", "demo", rule)[0]
    new = {**old, "metadata": {**old["metadata"], "finalizers": ["x"]}}
    access.escalation.check(jane, info, new, old)
    labelled = {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}
    for written, before in ((labelled, old), (old, None)):
        with pytest.raises(Refusal, match=r'not currently held:\n\{APIGroups:\["\*"\]'):
            access.escalation.check(jane, info, written, before)
    access.escalation.check(jane, RequestInfo("update", "", True, "", "v1", "demo", "pods"), old)
