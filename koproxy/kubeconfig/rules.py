"""client-go's rules for a kubeconfig: which context, which credential wins, what contradicts.

Follows ``validateClusterInfo``, ``validateAuthInfo`` and ``getUserIdentificationPartialConfig`` in
client-go's tools/clientcmd and ``HTTPWrappersForConfig`` in transport. Pure: files are named here
and read by others.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.access import Access, ExecPlugin, Server, Source
from koproxy.kubeconfig.address import parse_server
from koproxy.kubeconfig.schema import Cluster, Exec, NamedUser, User, decode

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"


class _Named(Protocol):
    name: str


@dataclass(frozen=True, slots=True)
class Use:
    """What a kubeconfig is for: the flag that names it, and how a context of it is chosen.

    Where no credential is needed, http will do without one.
    """

    flag: str
    choice: str
    needs_credential: bool


API_SERVER = Use("--kubeconfig", "choose one with --context", needs_credential=True)
AUDIT_WEBHOOK = Use("--audit-webhook-config-file", "name one there", needs_credential=False)

_N = TypeVar("_N", bound=_Named)


@lru_cache(maxsize=2)  # the files are read every few seconds, and seldom have changed
def choose(content: bytes, file: Path, context: str | None, use: Use = API_SERVER) -> Access:
    """The server and credential of ``context`` (else of the current one) in a kubeconfig.

    ``content`` are the bytes of ``file``, relative to which the paths in it are.

    Raises:
        ConfigurationError: what in it can't work; the sentence names the field.
    """
    config = decode(content, f"{use.flag} {file}")
    reader = _Reader(file, use)
    contexts = reader.by_name("contexts", config.contexts)
    clusters = reader.by_name("clusters", config.clusters)
    users = reader.by_name("users", config.users)
    name = context or config.current_context
    if not name:
        raise reader.error(
            "current-context", f"is not set: {use.choice} ({_listed(list(contexts))})"
        )
    if name not in contexts:
        raise reader.error(
            f"contexts[{name}]",
            f"does not exist: {use.choice} ({_listed(list(contexts))})",
        )
    chosen = contexts[name].context
    if chosen.cluster not in clusters:
        raise reader.error(
            f"contexts[{name}].context.cluster",
            f"is {chosen.cluster!r}, which is none of the clusters ({_listed(list(clusters))})",
        )
    if not chosen.user and not use.needs_credential:
        users.setdefault("", NamedUser())
    if chosen.user not in users:
        raise reader.error(
            f"contexts[{name}].context.user",
            f"is {chosen.user!r}, which is none of the users ({_listed(list(users))})",
        )
    return reader.access(
        f"clusters[{chosen.cluster}].cluster",
        clusters[chosen.cluster].cluster,
        f"users[{chosen.user}].user",
        users[chosen.user].user,
    )


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "the file has none"
    shown = ", ".join(names[:10])
    return f"the file has {shown}{', …' if len(names) > 10 else ''}"


class _Reader:
    """One kubeconfig's fields into an :class:`Access`; every sentence names the file."""

    def __init__(self, file: Path, use: Use) -> None:
        self.named = f"{use.flag} {file}"
        self.use = use
        self.folder = file.absolute().parent

    def error(self, place: str, problem: str) -> ConfigurationError:
        return ConfigurationError(f"{self.named}: {place} {problem}")

    def by_name(self, place: str, entries: Sequence[_N]) -> dict[str, _N]:
        found: dict[str, _N] = {}
        for entry in entries:
            if entry.name in found:
                raise self.error(
                    f"{place}[{entry.name}]", "stands there twice: take one of the two out"
                )
            found[entry.name] = entry
        return found

    def access(self, at_cluster: str, cluster: Cluster, at_user: str, user: User) -> Access:
        authority = self._authority(at_cluster, cluster)
        server = parse_server(
            cluster.server,
            f"{self.named}: {at_cluster}.server",
            cluster.tls_server_name,
            not cluster.insecure_skip_tls_verify,
            plain=not self.use.needs_credential,
        )
        self._refuse_unusable(at_user, user)
        certificate, key = self._client_certificate(at_user, user)
        token, token_file, basic = self._authorization(at_user, user)
        # A plugin beside another credential is not run, as in client-go; it must still be sound.
        plugin = self._plugin(f"{at_user}.exec", user.exec, server, cluster) if user.exec else None
        if any((certificate, token, token_file, basic)):
            plugin = None
        elif plugin is None and self.use.needs_credential:
            raise self.error(
                at_user,
                "holds no credential: give it a token, tokenFile, client-certificate and "
                "client-key, username and password, or exec",
            )
        elif user.exec and user.exec.interactive_mode == "Always":
            raise self.error(
                f"{at_user}.exec.interactiveMode",
                "is Always, and a proxy has no terminal: use a plugin that works with Never or "
                "IfAvailable",
            )
        if not server.secure and any((certificate, token, token_file, basic, plugin)):
            raise self.error(
                at_user,
                "holds a credential, which would travel over http for all to read: take it out, "
                "or give the cluster an https URL",
            )
        return Access(server, authority, certificate, key, token, token_file, basic, plugin)

    def _authority(self, place: str, cluster: Cluster) -> Source | None:
        authority = self._source(
            place,
            "certificate-authority",
            cluster.certificate_authority,
            cluster.certificate_authority_data,
        )
        if authority and cluster.insecure_skip_tls_verify:
            raise self.error(
                f"{place}.insecure-skip-tls-verify",
                "contradicts the certificate-authority beside it: take one of the two out",
            )
        if cluster.proxy_url:
            raise self.error(
                f"{place}.proxy-url",
                "is set, and koproxy speaks to the server without a proxy between: take it out",
            )
        return authority

    def _refuse_unusable(self, place: str, user: User) -> None:
        if user.as_user or user.as_uid or user.as_groups or user.as_user_extra:
            raise self.error(
                f"{place}.as",
                "asks to impersonate somebody, and koproxy impersonates the person of each "
                "request: take as, as-uid, as-groups and as-user-extra out",
            )
        if user.auth_provider is not None:
            raise self.error(
                f"{place}.auth-provider",
                "is a way to log in that koproxy does not have: use exec, tokenFile or a client "
                "certificate",
            )

    def _client_certificate(self, place: str, user: User) -> tuple[Source | None, Source | None]:
        certificate = self._source(
            place, "client-certificate", user.client_certificate, user.client_certificate_data
        )
        if certificate is None:
            return None, None  # a key alone means nothing, as in client-go
        key = self._source(place, "client-key", user.client_key, user.client_key_data)
        if key is None:
            raise self.error(
                f"{place}.client-key", "is missing beside the client-certificate: add it"
            )
        return certificate, key

    def _authorization(
        self, place: str, user: User
    ) -> tuple[Source | None, Source | None, bytes | None]:
        token = (
            Source(f"{self.named}: {place}.token", data=user.token.encode()) if user.token else None
        )
        token_file = self._source(place, "tokenFile", user.token_file)
        if not user.username:
            return token, token_file, None
        if token or token_file:
            raise self.error(
                f"{place}.username",
                "stands beside a token, and only one of them can be sent: take one of the two out",
            )
        pair = f"{user.username}:{user.password}".encode()
        return None, None, b"Basic " + base64.b64encode(pair)

    def _plugin(self, place: str, plugin: Exec, server: Server, cluster: Cluster) -> ExecPlugin:
        if not plugin.command:
            raise self.error(f"{place}.command", "is missing: name the program to run")
        if plugin.api_version not in API_VERSIONS:
            raise self.error(
                f"{place}.apiVersion",
                f"is {plugin.api_version!r}: it must be {' or '.join(API_VERSIONS)}",
            )
        if any(not variable.name for variable in plugin.env):
            raise self.error(f"{place}.env", "has an entry without a name: name it or take it out")
        # v1beta1 knew no interactiveMode; v1 asks for one.
        mode = plugin.interactive_mode or (
            "IfAvailable" if plugin.api_version.endswith("/v1beta1") else ""
        )
        if mode not in ("Never", "IfAvailable", "Always"):
            raise self.error(
                f"{place}.interactiveMode",
                "is missing or unknown: it must be Never or IfAvailable",
            )
        command = plugin.command
        if "/" in command:
            command = str(self.folder / command)
        return ExecPlugin(
            where=f"{self.named}: {place}",
            command=command,
            args=tuple(plugin.args),
            env=tuple((variable.name, variable.value) for variable in plugin.env),
            api_version=plugin.api_version,
            install_hint=plugin.install_hint,
            cluster_info=_cluster_info(server, cluster) if plugin.provide_cluster_info else None,
        )

    def _source(self, place: str, field: str, path: str, data: str = "") -> Source | None:
        if path and data:
            raise self.error(
                f"{place}.{field}", f"stands beside {field}-data: take one of the two out"
            )
        if path:
            return Source(f"{self.named}: {place}.{field}", path=self.folder / path)
        if not data:
            return None
        try:
            decoded = base64.b64decode(re.sub(r"[\r\n]", "", data), validate=True)
        except (binascii.Error, ValueError):
            raise self.error(
                f"{place}.{field}-data", "is not base64: encode the file with base64 -w0"
            ) from None
        return Source(f"{self.named}: {place}.{field}-data", data=decoded)


def _cluster_info(server: Server, cluster: Cluster) -> dict[str, Any]:
    """``spec.cluster`` of the ExecCredential that a plugin is given, without the authority."""
    info: dict[str, Any] = {"server": server.url}
    if cluster.tls_server_name:
        info["tls-server-name"] = cluster.tls_server_name
    if cluster.insecure_skip_tls_verify:
        info["insecure-skip-tls-verify"] = True
    if cluster.disable_compression:
        info["disable-compression"] = True
    configs = [e.extension for e in cluster.extensions if e.name == _EXEC_EXTENSION]
    info["config"] = configs[0] if configs else None
    return info
