"""The ExecCredential that a credential plugin is asked with and that it answers with.

Follows "client-go credential plugins" in the Kubernetes documentation and the
client.authentication.k8s.io API. Pure: nothing is run in here, and nothing of what a plugin printed
stands in a message.
"""

import json
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec

from koproxy import pem
from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import ExecPlugin
from koproxy.kubeconfig.access import bearer
from koproxy.kubeconfig.schema import load_yaml, without_nulls


class PluginError(Exception):
    """A plugin gave no credential; the text is a sentence without its secrets."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a plugin gave: a token, a client certificate with its key (PEM), or all of them.

    ``authorization`` is the header's value, ``b""`` without a token. ``expires`` is in seconds
    since the epoch; None means until the API server refuses it.
    """

    authorization: bytes = field(default=b"", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: float | None = None


class _Status(msgspec.Struct, rename="camel"):
    expiration_timestamp: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


def exec_info(plugin: ExecPlugin, authority: bytes) -> str:
    """The ExecCredential that asks, for ``KUBERNETES_EXEC_INFO``: JSON in one line.

    ``authority`` is the cluster's CA in PEM, empty for the system's.
    """
    spec: dict[str, object] = {"interactive": False}
    if plugin.cluster_info is not None:
        cluster = dict(plugin.cluster_info)
        if authority:
            cluster["certificate-authority-data"] = b64encode(authority).decode("ascii")
        spec["cluster"] = cluster
    return json.dumps(
        {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec},
        separators=(",", ":"),
    )


def decode_grant(output: bytes, plugin: ExecPlugin) -> Grant:
    """The credential in the ExecCredential that a plugin printed, as JSON or YAML.

    Raises:
        PluginError: it is none, of another version, or holds no usable credential.
    """

    def wrong(problem: str) -> PluginError:
        return PluginError(f"{plugin.where}: the plugin {plugin.command} {problem}")

    try:
        if output.lstrip().startswith(b"{"):
            raw = without_nulls(msgspec.json.decode(output))
        else:
            raw = load_yaml(output)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise wrong("printed neither JSON nor YAML") from None
    try:
        credential = msgspec.convert(raw, _ExecCredential)
    except msgspec.ValidationError as error:
        raise wrong(f"printed no ExecCredential: {error}") from None
    if credential.kind != "ExecCredential" or credential.api_version != plugin.api_version:
        raise wrong(
            "printed something else than an ExecCredential of the apiVersion that the kubeconfig "
            f"asks for ({plugin.api_version})"
        )
    status = credential.status
    if status is None:
        raise wrong("returned no status")
    if bool(status.client_certificate_data) != bool(status.client_key_data):
        raise wrong("returned a client certificate or a key without the other")
    if not status.token and not status.client_certificate_data:
        raise wrong("returned neither a token nor a client certificate")
    certificate, key = status.client_certificate_data.encode(), status.client_key_data.encode()
    try:
        authorization = bearer(status.token.encode(), "status.token") if status.token else b""
        if certificate:
            pem.identify(
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                certificate,
                key,
                "status.clientCertificateData",
                "status.clientKeyData",
            )
    except ConfigurationError as error:
        raise wrong(f"returned a credential that can't be used: {error}") from None
    expires = status.expiration_timestamp
    return Grant(authorization, certificate, key, expires.timestamp() if expires else None)
