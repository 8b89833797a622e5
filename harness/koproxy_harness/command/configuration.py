"""What the command's YAML file may say, read strictly. Nothing is started here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from koproxy_harness.command.fields import ConfigurationError, Field, read
from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.users import User

# The readers of the fields that are passed on under their own names.
_ISSUER: dict[str, Callable[[Field], Any]] = {
    "path": Field.text,
    "token_lifetime": Field.number,
    "require_client_certificate": Field.flag,
}
_KUBE_API: dict[str, Callable[[Field], Any]] = {
    "audience": Field.text,
    "username_claim": Field.text,
    "groups_claim": Field.text,
}
_CLIENT: dict[str, Callable[[Field], Any]] = {
    "secret": Field.text,
    "redirect_uris": Field.texts,
    "post_logout_redirect_uris": Field.texts,
    "grant_types": Field.texts,
    "audience": Field.texts,
    "jwks": Field.mapping,
}


@dataclass(frozen=True)
class Objects:
    """Manifests for the API server, and the place of the file that has to be blamed for them."""

    manifest: str | dict[str, Any]
    place: Field


@dataclass(frozen=True)
class Configuration:
    """What the servers are started with; the mappings are arguments of `Issuer` and `KubeAPI`."""

    users: tuple[User, ...] = ()
    clients: tuple[Client, ...] = ()
    issuer: dict[str, Any] = field(default_factory=dict)
    kube_api: dict[str, Any] = field(default_factory=dict)
    objects: tuple[Objects, ...] = ()


def configuration(file: Path) -> Configuration:
    """Read a file; raises `ConfigurationError`, which says where it is wrong."""
    root = read(file)
    if root is None:
        return Configuration()
    fields = root.fields("users", "clients", "issuer", "kube_api", "objects")

    def items(name: str) -> list[Field]:
        return fields[name].items() if name in fields else []

    def options(name: str, readers: dict[str, Callable[[Field], Any]]) -> dict[str, Any]:
        return _read(fields[name].fields(*readers), readers) if name in fields else {}

    return Configuration(
        users=tuple(_user(item) for item in items("users")),
        clients=tuple(_client(item) for item in items("clients")),
        issuer=options("issuer", _ISSUER),
        kube_api=options("kube_api", _KUBE_API),
        objects=tuple(_objects(item, file.parent) for item in items("objects")),
    )


def _read(fields: dict[str, Field], readers: dict[str, Callable[[Field], Any]]) -> dict[str, Any]:
    return {name: reader(fields[name]) for name, reader in readers.items() if name in fields}


def _user(item: Field) -> User:
    fields = item.fields("username", "password", "claims")
    if "username" not in fields:
        raise item.wrong("must have a username")
    user = User(
        fields["username"].text(), fields["password"].text() if "password" in fields else None
    )
    if "claims" not in fields:
        return user
    try:
        return replace(user, claims=fields["claims"].mapping())
    except HarnessError as error:
        raise fields["claims"].wrong(f"are not taken: {error}") from None


def _client(item: Field) -> Client:
    fields = item.fields("id", "public", *_CLIENT)
    if "id" not in fields:
        raise item.wrong("must have an id")
    client = Client(fields["id"].text(), **_read(fields, _CLIENT))
    if "public" in fields and fields["public"].flag() != client.public:
        raise fields["public"].wrong(
            "is false for a client with a secret or keys (jwks), true for one without"
        )
    return client


def _objects(item: Field, folder: Path) -> Objects:
    value = item.value()
    if isinstance(value, dict):
        return Objects(value, item)
    file = folder / item.text()
    try:
        return Objects(file.read_text(encoding="utf-8"), item)
    except (OSError, UnicodeDecodeError) as error:
        raise item.wrong(f"names the file {file}, which can't be read: {error}") from None


__all__ = ["Configuration", "ConfigurationError", "Objects", "configuration"]
