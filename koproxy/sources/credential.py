"""What the way of a request knows of the API server: its address, the proxy's credential, the TLS.

Everything is read again every few seconds and compared by content: Kubernetes rotates mounted files
by swapping a link to a folder, which every way of being notified sees differently and a reader
simply reads. What can't be read or does not fit stays as it was, and is said once. Nothing in here
opens a connection.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy import pem
from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import Access
from koproxy.kubeconfig.access import bearer
from koproxy.sources.execplugin import Plugin, RunPlugin, run_plugin

log = Logger()

SECONDS = 10.0
"""How often everything is read again."""


@dataclass(frozen=True, slots=True)
class _Material:
    """What the TLS is made of, by content; the authority is None where the system's are meant."""

    authority: bytes | None
    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def bare(self) -> "_Material":
        """What verifies the API server alone."""
        return _Material(self.authority, b"", b"")


class Upstream(Service):
    """The API server and the proxy's credential for it, kept fresh while the service runs.

    ``find`` says where things are (see :func:`koproxy.kubeconfig.find_access`); it is called again
    at each reading, so that a kubeconfig may rotate too. The server's address in it may not: that
    needs a restart, and is said.

    ``host``, ``port``, ``host_header`` (the two as the ``Host`` field's value), ``server_name``
    (which the API server's certificate must have) and ``path_prefix`` never change.
    ``authorization`` is the value of the header to send, ``b""`` when the credential is a client
    certificate alone. ``tls`` is another object when its material has changed. While ``problem`` is
    not None there is no usable credential, and nothing may be sent. ``bare_tls`` is ``tls`` without
    a client certificate: who speaks by it is not the proxy.

    Raises:
        ConfigurationError: it can't work as it is given.
    """

    def __init__(
        self,
        find: Callable[[], Access],
        reactor: Any = None,
        clock: IReactorTime | None = None,
        run: RunPlugin | None = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415
        self._clock: IReactorTime = clock or reactor
        self._run: RunPlugin = run or (lambda spec, ca: run_plugin(spec, ca, reactor))
        self._find = find
        self._access = access = find()
        self.host: str = access.server.host
        self.port: int = access.server.port
        self.host_header: bytes = access.server.authority.encode("ascii")
        self.server_name: str = access.server.tls_name
        self.path_prefix: bytes = access.server.path_prefix
        self._plugin: Plugin | None = None
        if access.plugin is not None:
            self._plugin = Plugin(access.plugin, self._clock, self._run)
        self.authorization: bytes = _first_authorization(access)
        self._material = self._read_material()
        self.tls: ssl.SSLContext = _context(access, self._material)
        self.bare_tls: ssl.SSLContext = _context(access, self._material.bare)
        self._stale: dict[str, str] = {}
        self._changed: list[Callable[[], None]] = []
        self._waiting: list[Deferred[bool]] | None = None
        self._asking: Deferred[None] | None = None
        self._reading = LoopingCall(self.look)
        self._reading.clock = self._clock

    @property
    def problem(self) -> str | None:
        """Why there is no usable credential now, for people; None when there is one."""
        return self._plugin.problem if self._plugin else None

    @property
    def stale(self) -> tuple[str, ...]:
        """What can't be read again now, for people; the last that was good is still used."""
        return tuple(self._stale.values())

    @property
    def certificate_expires(self) -> float | None:
        """When the certificate ends that the API server is shown, in seconds since the epoch."""
        if not self._material.certificate:
            return None
        leaf = x509.load_pem_x509_certificate(self._material.certificate)
        return leaf.not_valid_after_utc.timestamp()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever ``authorization`` or ``tls`` has changed."""
        self._changed.append(callback)

    def startService(self) -> None:
        """Read and run the plugin from now on."""
        super().startService()
        self._reading.start(SECONDS)

    def stopService(self) -> None:
        """Leave everything as it is, and end a running plugin."""
        super().stopService()
        self._reading.stop()
        if self._asking is not None:
            self._asking.cancel()

    async def renew(self) -> bool:
        """Read everything again now, and run the plugin; say whether anything changed by it.

        Callers at the same time share one reading. A plugin that was run a moment ago is not run
        again. A caller whose request was refused compares what it had sent with what stands here
        now: another one may have renewed it since.
        """
        if self._waiting is not None:
            shared: Deferred[bool] = Deferred()
            self._waiting.append(shared)
            return await shared
        self._waiting = []
        changed = False
        try:
            changed = self._read()
            if self._plugin is not None:
                await self._ask(self._plugin)
                changed = self._read() or changed
        finally:
            waiting, self._waiting = self._waiting, None
            for one in waiting:
                one.callback(changed)
        return changed

    def look(self) -> None:
        """Read everything now."""
        with log.failuresHandled("reading the API server's credential again"):
            self._read()
            if self._plugin is not None and self._plugin.due:
                ensureDeferred(self.renew()).addErrback(
                    lambda failure: log.failure("renewing the credential", failure)
                )

    async def _ask(self, plugin: Plugin) -> None:
        self._asking = ensureDeferred(plugin.ask(self._material.authority or b""))
        try:
            await self._asking
        except CancelledError:
            pass  # the service stops
        finally:
            self._asking = None

    def _read(self) -> bool:
        before = (self.authorization, self.tls)
        self._part("kubeconfig", self._read_access)
        self._part("authorization", self._read_authorization)
        self._part("tls", self._read_tls)
        if before == (self.authorization, self.tls):
            return False
        for callback in self._changed:
            with log.failuresHandled("telling of a changed credential"):
                callback()
        return True

    def _part(self, name: str, read: Callable[[], None]) -> None:
        try:
            read()
        except ConfigurationError as error:
            if self._stale.get(name) != str(error):
                self._stale[name] = str(error)
                log.error("{problem}. Until then the last that was good is used", problem=error)
        else:
            if self._stale.pop(name, None):
                log.info("The API server's {name} can be read again", name=name)

    def _read_access(self) -> None:
        access = self._find()
        if access.server != self._access.server:
            raise ConfigurationError(
                f"the kubeconfig now names another API server ({access.server.url} instead of "
                f"{self._access.server.url}): restart koproxy to go there"
            )
        if access.plugin is None:
            self._plugin = None
        elif self._plugin is None or self._plugin.spec != access.plugin:
            last = self._plugin.grant if self._plugin else None
            self._plugin = Plugin(access.plugin, self._clock, self._run, last)
        self._access = access

    def _read_authorization(self) -> None:
        if self._plugin is None:
            authorization = _authorization(self._access)
        elif self._plugin.grant is None:
            return
        else:
            authorization = self._plugin.grant.authorization
        if authorization != self.authorization:
            self.authorization = authorization
            log.info("The credential for the API server was renewed")

    def _read_tls(self) -> None:
        material = self._read_material()
        if material != self._material:
            tls = _context(self._access, material)
            if material.bare != self._material.bare:
                self.bare_tls = _context(self._access, material.bare)
            self.tls, self._material = tls, material
            log.info("The certificates for the API server were renewed")

    def _read_material(self) -> _Material:
        access, grant = self._access, self._plugin.grant if self._plugin else None
        authority = access.authority.read() if access.authority else None
        if grant is not None:
            return _Material(authority, grant.certificate, grant.key)
        if access.certificate and access.key:
            return _Material(authority, access.certificate.read(), access.key.read())
        return _Material(authority, b"", b"")


def _first_authorization(access: Access) -> bytes:
    try:
        return _authorization(access)
    except ConfigurationError as error:
        if access.token is None or access.token_file is None:
            raise
        log.warn("{problem}. Until then the token beside it is used", problem=error)
        return bearer(access.token.read(), str(access.token))


def _authorization(access: Access) -> bytes:
    if access.token_file is not None:
        return bearer(access.token_file.read().strip(), str(access.token_file))
    if access.token is not None:
        return bearer(access.token.read(), str(access.token))
    return access.basic or b""


def _context(access: Access, material: _Material) -> ssl.SSLContext:
    """A client's context that verifies as client-go does: any trusted certificate is an anchor."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    if not access.server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif material.authority is None:
        context.load_default_certs()
    else:
        pem.trust(context, material.authority, str(access.authority))
    if material.certificate:
        pem.identify(
            context,
            material.certificate,
            material.key,
            str(access.certificate or "the plugin's certificate"),
            str(access.key or "the plugin's key"),
        )
    return context
