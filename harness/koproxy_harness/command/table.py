"""Everything that can be asked of the servers over HTTP: paths, and the methods behind them.

A path stands for a method of `Issuer` or `KubeAPI` and takes what that takes; the few functions
here are for what has no method of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml

from koproxy_harness import yaml_values
from koproxy_harness.command import told
from koproxy_harness.command.calls import Call, WrongCall
from koproxy_harness.command.fields import said

if TYPE_CHECKING:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.kube.api import KubeAPI
    from koproxy_harness.kube.streams.session import Session
    from koproxy_harness.serving.server import Server


def for_issuer(issuer: Issuer) -> dict[str, Call]:
    """What the issuer can be asked, by the ends of the paths."""
    return {
        **_for_both(issuer),
        "token": Call(issuer.token, "token"),
        "sign": Call(issuer.sign, "token"),
        "rotate-keys": Call(issuer.rotate_keys),
        "withdraw-keys": Call(issuer.withdraw_keys),
        "fail": Call(issuer.fail),
        "claims": Call(issuer.set_claims),
        "claims-endpoint": Call(issuer.claims_endpoint, "url"),
        "publish": Call(issuer.publish),
        "log-in": Call(issuer.log_in, "location"),
        "approve-device": Call(issuer.approve_device),
        "refuse-device": Call(issuer.refuse_device),
    }


def for_kube_api(api: KubeAPI) -> dict[str, Call]:
    """What the API server can be asked, by the ends of the paths."""
    return {
        **_for_both(api),
        "fail": Call(api.fail),
        "apply": Call(_apply(api), takes_manifest=True),
        "kubeconfig": Call(api.kubeconfig, "kubeconfig", "GET"),
        "find": Call(api.find, "object", "GET"),
        "delete": Call(api.delete),
        "end-watches": Call(api.end_watches, "ended"),
        "logs": Call(api.pods.set_logs),
        "append-log": Call(api.pods.append_log),
        "end-log": Call(api.pods.end_log),
        "exec": Call(_exec(api)),
    }


def _for_both(server: Server) -> dict[str, Call]:
    return {
        "requests": Call(_requests(server), method="GET"),
        "refused": Call(_refused(server), "refused", "GET"),
        "connections": Call(lambda: server.connections, "connections", "GET"),
        "heal": Call(server.heal),
        "disconnect": Call(server.disconnect),
        "stop": Call(server.stop),
        "start": Call(server.start),
        "serve-certificate": Call(server.serve_certificate),
        "client-certificate": Call(_client_certificate(server)),
        "clock": Call(_clock(server)),
    }


def _exec(api: KubeAPI) -> Callable[..., None]:
    def exec(
        stdout: str = "",
        stderr: str = "",
        exit_code: int = 0,
        pod: str = "*",
        namespace: str = "*",
    ) -> None:
        """Have exec print this and end so, in these pods (patterns as in `fnmatch`)."""

        async def answer(session: Session) -> tuple[str, int]:
            await session.write_error(stderr)
            return stdout, exit_code

        api.pods.on_exec(answer, pod, namespace)

    return exec


def _requests(server: Server) -> Callable[..., Coroutine[Any, Any, dict[str, Any]]]:
    async def requests(since: int = 0, wait: float = 0.0) -> dict[str, Any]:
        """Give the requests from number `since` on; for up to `wait` seconds, wait for one."""
        if since < 0 or wait < 0:
            raise WrongCall("since and wait are 0 or more")
        if wait:
            with suppress(TimeoutError):  # the answer says that there is none
                await server.until(lambda: len(server.requests) > since, wait)
        found = server.requests
        return {
            "requests": [told.as_json(n, found[n]) for n in range(since, len(found))],
            "next": len(found),
        }

    return requests


def _refused(server: Server) -> Callable[..., list[dict[str, Any]]]:
    def refused() -> list[dict[str, Any]]:
        """Give what came and was not strictly HTTP/1.1."""
        return [told.refused_as_json(each) for each in server.refused]

    return refused


def _clock(server: Server) -> Callable[..., dict[str, Any]]:
    def clock(
        set: float | datetime | None = None,
        move: float | None = None,
    ) -> dict[str, Any]:
        """Put the clock somewhere, and then on by `move` seconds; without either, back."""
        if set is None and move is None:
            server.clock.reset()
        if set is not None:
            server.clock.set(set)
        if move is not None:
            server.clock.move(move)
        return {"now": server.clock.now()}

    return clock


def _client_certificate(server: Server) -> Callable[..., dict[str, Any]]:
    def client_certificate(name: str = "client", groups: list[str] | None = None) -> dict[str, Any]:
        """Make a client certificate."""
        made = server.client_certificate(name, groups or ())
        return {
            "cert_pem": made.cert_pem,
            "key_pem": made.key_pem,
            "cert_file": str(made.cert_file),
            "key_file": str(made.key_file),
        }

    return client_certificate


def _apply(api: KubeAPI) -> Callable[[str], None]:
    def apply(manifest: str) -> None:
        """Put objects into the store: YAML of one or several documents, or JSON."""
        try:
            documents = list(yaml_values.documents(manifest))
        except yaml.YAMLError as error:
            raise WrongCall(f"the manifest is not YAML: {said(error)}") from None
        except yaml_values.NotJson as wrong:
            raise WrongCall(f"the manifest can't be applied: {wrong}") from None
        objects: list[Any] = []
        for each in documents:
            objects += each if isinstance(each, list) else [each]
        found = [each for each in objects if each is not None]
        if not found or not all(isinstance(each, dict) for each in found):
            raise WrongCall("the body must be Kubernetes objects, as YAML or JSON")
        api.apply(found)

    return apply
