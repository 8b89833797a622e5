"""The servers that the command runs, from a configuration, and what it prints of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from koproxy_harness.command import table
from koproxy_harness.command.calls import Call
from koproxy_harness.command.configuration import Configuration
from koproxy_harness.command.control import Control
from koproxy_harness.command.fields import ConfigurationError
from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer.issuer import Issuer
from koproxy_harness.issuer.users import DEFAULT, User
from koproxy_harness.kube.api import KubeAPI
from koproxy_harness.serving.place import Place
from koproxy_harness.serving.server import Server

_DAY = 24 * 3600.0  # seconds; the printed token is for all of a run


@dataclass(frozen=True)
class Places:
    """Where each server listens; None for one that is not wanted. There is always a control."""

    issuer: Place | None
    kube_api: Place | None
    control: Place


@contextmanager
def running(configuration: Configuration, places: Places) -> Iterator[dict[str, Any]]:
    """Run the servers, and give what is printed of them.

    Raises `ConfigurationError` for what they don't take, `HarnessError` if they can't listen.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="koproxy-harness-")))
        issuer = api = None
        told: dict[str, Any] = {}
        calls: dict[str, Call] = {}
        if places.issuer is not None:
            issuer = stack.enter_context(_issuer(configuration, places.issuer))
            calls |= _under("/issuer", table.for_issuer(issuer))
            told["issuer"] = {"url": issuer.url, "token": _token(issuer, configuration)}
        if places.kube_api is not None:
            api = stack.enter_context(_kube_api(configuration, places.kube_api, issuer))
            _apply(api, configuration)
            calls |= _under("/kube-api", table.for_kube_api(api))
            file = folder / "kubeconfig.yaml"
            file.write_text(api.kubeconfig())
            told["kube_api"] = {
                "url": api.url,
                "admin_token": api.admin_token,
                "kubeconfig": api.kubeconfig(),
                "kubeconfig_file": str(file),
            }
        calls["/reset"] = Call(_reset(configuration, issuer, api))
        control = stack.enter_context(Control(calls, places.control))
        told["control"] = {"url": control.url}
        servers: list[Server] = [each for each in (issuer, api, control) if each is not None]
        told["ca_pem"] = "".join(server.ca_pem for server in servers)
        bundle = folder / "ca.pem"
        bundle.write_text(told["ca_pem"])
        told["ca_file"] = str(bundle)
        yield told


def _issuer(configuration: Configuration, place: Place) -> Issuer:
    try:
        return Issuer(
            users=configuration.users,
            clients=configuration.clients,
            address=place.address,
            port=place.port,
            host=place.name,
            **configuration.issuer,
        )
    except HarnessError as error:
        raise ConfigurationError(f"the issuer can't be made: {error}") from None


def _kube_api(configuration: Configuration, place: Place, issuer: Issuer | None) -> KubeAPI:
    return KubeAPI(
        issuer,
        address=place.address,
        port=place.port,
        host=place.name,
        **configuration.kube_api,
    )


def _apply(api: KubeAPI, configuration: Configuration) -> None:
    for objects in configuration.objects:
        try:
            api.apply(objects.manifest)
        except HarnessError as error:
            raise objects.place.wrong(f"is not taken: {error}") from None


def _token(issuer: Issuer, configuration: Configuration) -> str:
    user = configuration.users[0] if configuration.users else User(DEFAULT)
    audience = configuration.kube_api.get("audience", "kubernetes")
    return issuer.token(aud=audience, lifetime=_DAY, **user.all_claims)


def _reset(
    configuration: Configuration, issuer: Issuer | None, api: KubeAPI | None
) -> Callable[[], None]:
    def reset() -> None:
        """End faults, put clocks and discovery back, and apply the file's objects again."""
        for server in (issuer, api):
            if server is not None:
                server.heal()
                server.clock.reset()
        if issuer is not None:
            issuer.publish()
        if api is not None:
            _apply(api, configuration)

    return reset


def _under(prefix: str, calls: dict[str, Call]) -> dict[str, Call]:
    return {f"{prefix}/{name}": call for name, call in calls.items()}
