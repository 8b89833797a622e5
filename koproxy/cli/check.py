"""``koproxy check``: all that is wrong with flags and the files they name, without serving."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from koproxy.cli.asking import SECONDS, asked
from koproxy.cli.options import Command, flags
from koproxy.cli.output import say
from koproxy.errors import ConfigurationError
from koproxy.settings import Settings

Part = Callable[[], str]
"""Looks at one part; gives what is good about it, or raises ConfigurationError."""


@click.command(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--online",
    is_flag=True,
    help="Fetch the issuers' keys too, and ask the API server what the credential may do.",
)
@flags
def check(online: bool, **given: Any) -> int:
    """Check the flags of serve, and all files that they name.

    Ends with status 0, with 2 if serve would refuse to start, or with 1 if something that
    --online asks for isn't good.
    """
    settings = Settings(**given)
    problems, good = [], []
    for part in _parts(settings):
        try:
            said = part()
        except ConfigurationError as problem:
            problems.append(str(problem))
        else:
            good.append(said)
    if problems:
        raise ConfigurationError("\n".join(problems))
    for said in filter(None, good):
        say(said)
    return asked(partial(_ask, settings)) if online else 0


def _parts(settings: Settings) -> Iterator[Part]:
    from koproxy import issuers  # noqa: PLC0415
    from koproxy.access_log_flags import check_access_log  # noqa: PLC0415
    from koproxy.audit_flags import check_audit  # noqa: PLC0415
    from koproxy.limits import limits_of  # noqa: PLC0415
    from koproxy.listening import check_addresses  # noqa: PLC0415
    from koproxy.modes import check_modes  # noqa: PLC0415
    from koproxy.peers import trusted_proxies_of  # noqa: PLC0415
    from koproxy.sources.trust import IssuerTrust  # noqa: PLC0415
    from koproxy.tracing_flags import read_tracing  # noqa: PLC0415
    from koproxy.workers import check_workers  # noqa: PLC0415

    for look in (
        check_addresses,
        check_workers,
        limits_of,
        trusted_proxies_of,
        check_modes,
        check_access_log,
        read_tracing,
        issuers.check_reserved_groups,
        issuers.check_issuer_flags,
    ):
        yield partial(_silent, look, settings)

    def trust() -> str:
        found = IssuerTrust(
            settings.oidc_ca_file,
            settings.oidc_tls_client_cert_file,
            settings.oidc_tls_client_key_file,
        )
        found.take(found.read())
        return f"{found.name}: good" if found.name else ""

    def rules() -> str:
        found = issuers.read_issuers(settings)
        where = settings.authentication_config
        name = f"--authentication-config {where}" if where else "--oidc-issuer-url"
        return f"{name}: good; issuers: {', '.join([each.url for each in found]) or 'none'}"

    yield trust
    yield rules
    yield partial(_certificate, settings)
    yield partial(check_audit, settings)
    if settings.kubeconfig or settings.context:
        yield partial(_credential, settings)


def _silent(look: Callable[[Settings], object], settings: Settings) -> str:
    look(settings)
    return ""


def _certificate(settings: Settings) -> str:
    from koproxy.serving.flags import make_serving  # noqa: PLC0415

    files = make_serving(settings, self_sign=False).files
    return "\n".join([f"{each.name}: {each.look()}" for each in files])


def _credential(settings: Settings) -> str:
    from twisted.internet.task import Clock  # noqa: PLC0415

    from koproxy.kubeconfig import find_access  # noqa: PLC0415
    from koproxy.sources.credential import Upstream  # noqa: PLC0415

    clock = Clock()  # nothing is read again, and no plugin is run
    upstream = Upstream(partial(find_access, settings.kubeconfig, settings.context), clock)
    server = upstream.host_header.decode()
    return f"--kubeconfig {settings.kubeconfig}: good; the API server is {server}"


async def _ask(settings: Settings, reactor: Any) -> int:
    """Ask the issuers, and the API server if it is known; give the exit status."""
    from koproxy.issuers import make_authentication  # noqa: PLC0415

    authentication, _ = make_authentication(settings, reactor, seconds=SECONDS)
    authentication.startService()
    status = 0
    for url in authentication.problems:
        problem = await authentication.looked(url)
        count = len(authentication.rules.keys[url].keys) if problem is None else 0
        say(f"{url}: {problem or f'{count} keys verify its tokens'}")
        status = status or int(problem is not None)
    stopping = authentication.stopService()
    if stopping is not None:
        await stopping
    if not settings.kubeconfig and not settings.context:
        say("no API server is asked: --kubeconfig isn't given")
        return status
    from koproxy.serving.flags import extra_keys  # noqa: PLC0415

    keys = (*authentication.extra_keys, *extra_keys(settings))
    problem = await _rights(settings, reactor, keys)
    say(problem or "the API server lets the credential impersonate all that is needed")
    return status or int(problem is not None)


async def _rights(settings: Settings, reactor: Any, extra_keys: tuple[str, ...]) -> str | None:
    """Ask the API server what the credential may impersonate; give what is wrong."""
    from koproxy.kubeconfig import find_access  # noqa: PLC0415
    from koproxy.modes import make_allowance, other_rights  # noqa: PLC0415
    from koproxy.proxy.connect import Connector  # noqa: PLC0415
    from koproxy.proxy.own_calls import OwnCalls  # noqa: PLC0415
    from koproxy.proxy.sockets import Sockets  # noqa: PLC0415
    from koproxy.proxy.upstream import Pool  # noqa: PLC0415
    from koproxy.sources.credential import Upstream  # noqa: PLC0415
    from koproxy.sources.rights import Rights  # noqa: PLC0415

    upstream = Upstream(partial(find_access, settings.kubeconfig, settings.context), reactor)
    if upstream.problem is not None:
        await upstream.renew()
    if upstream.problem is not None:
        return upstream.problem
    pool = Pool(reactor, upstream, Connector(reactor, Sockets(reactor)))
    host, allowance = upstream.host_header, make_allowance(settings, reactor.seconds)
    calls = OwnCalls(reactor, upstream, pool, host, upstream.renew, allowance)
    rights = Rights(
        calls.call,
        lambda: extra_keys,
        reactor,
        impersonates=not settings.disable_impersonation,
        also=other_rights(settings),
    )
    try:
        return await rights.once()
    finally:
        pool.close()
