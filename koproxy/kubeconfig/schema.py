"""A kubeconfig's fields (``clientcmd/api/v1``), typed, and its text decoded into them.

As in client-go, unknown fields are passed over and a null is an absent field, but a known field of
another type is an error. No message here shows a value of the file: any of them may be a secret.
"""

from typing import Any

import msgspec
import yaml

from koproxy.errors import ConfigurationError
from koproxy.kubernetes_yaml import Loader


class Extension(msgspec.Struct):
    name: str = ""
    extension: Any = None


class Cluster(msgspec.Struct, rename="kebab"):
    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: list[Extension] = []


class EnvVar(msgspec.Struct):
    name: str = ""
    value: str = ""


class Exec(msgspec.Struct, rename="camel"):
    command: str = ""
    args: list[str] = []
    env: list[EnvVar] = []
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class User(msgspec.Struct, rename="kebab"):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    as_user: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: list[str] = []
    as_user_extra: dict[str, list[str]] = {}
    username: str = ""
    password: str = ""
    auth_provider: dict[str, Any] | None = None
    exec: Exec | None = None


class Context(msgspec.Struct):
    cluster: str = ""
    user: str = ""


class NamedCluster(msgspec.Struct):
    name: str = ""
    cluster: Cluster = msgspec.field(default_factory=Cluster)


class NamedUser(msgspec.Struct):
    name: str = ""
    user: User = msgspec.field(default_factory=User)


class NamedContext(msgspec.Struct):
    name: str = ""
    context: Context = msgspec.field(default_factory=Context)


class Config(msgspec.Struct):
    kind: str = ""
    api_version: str = msgspec.field(default="", name="apiVersion")
    clusters: list[NamedCluster] = []
    users: list[NamedUser] = []
    contexts: list[NamedContext] = []
    current_context: str = msgspec.field(default="", name="current-context")


def load_yaml(content: bytes) -> Any:
    """The one document in ``content`` as plain values, without the fields that are null.

    Raises:
        ValueError: it is no YAML; the text says where, and nothing of what stands there.
    """
    try:
        document = without_nulls(yaml.load(content, Loader=Loader))  # noqa: S506
        _check_strings(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"not valid YAML{place}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("not valid YAML") from None
    return document


def _check_strings(value: Any) -> None:
    """Raise ValueError at a string that no file's name, header or process can be given."""
    match value:
        case dict():
            for key, field in value.items():
                _check_strings(key)
                _check_strings(field)
        case list():
            for item in value:
                _check_strings(item)
        case str() if "\0" in value:
            raise ValueError("a NUL")
        case str():
            value.encode()  # half of a surrogate pair is a ValueError


def without_nulls(value: Any) -> Any:
    """``value`` without the fields that are null: an absent field, in all of Kubernetes' JSON.

    What an ``extension`` holds is somebody else's and stays as it is.
    """
    match value:
        case dict():
            return {
                key: field if key == "extension" else without_nulls(field)
                for key, field in value.items()
                if field is not None
            }
        case list():
            return [without_nulls(item) for item in value]
    return value


def decode(content: bytes, where: str) -> Config:
    """The kubeconfig in ``content``; ``where`` names the flag and its file.

    Raises:
        ConfigurationError: not YAML, of another kind, or a field of another type.
    """
    try:
        raw = load_yaml(content)
    except ValueError as error:
        raise ConfigurationError(f"{where} is {error}: mend the file") from None
    try:
        config = msgspec.convert({} if raw is None else raw, Config)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        raise ConfigurationError(
            f"{where}: {_named(place.strip('`'), raw)}: {problem}: mend the file"
        ) from None
    if config.kind not in ("", "Config") or config.api_version not in ("", "v1"):
        raise ConfigurationError(
            f"{where} is not a kubeconfig: its kind must be Config, its apiVersion v1"
        )
    return config


def _named(place: str, raw: Any) -> str:
    """``$.users[0].user.token`` as ``users[alice].user.token``, where that entry has a name."""
    head, bracket, rest = place.removeprefix("$.").removeprefix("$").partition("[")
    index, closing, tail = rest.partition("]")
    if not bracket or not index.isdigit():
        return place.removeprefix("$.") if place not in ("", "$") else "the document"
    try:
        name = raw[head][int(index)]["name"]
    except (KeyError, TypeError):
        name = None
    return f"{head}[{name if isinstance(name, str) else index}{closing}{tail}"
