"""The contestants and the cases of a run, from what was asked for."""

from pathlib import Path

from koproxy_harness import Issuer

from bench.builds import compiled_koproxy
from bench.caller import token
from bench.cases import Case
from bench.cases.connections import Connections
from bench.cases.flood import Flood
from bench.cases.requests import Requests
from bench.cases.tokens import Tokens, write_tokens
from bench.cases.transfers import Answers, Tunnels, Uploads
from bench.cases.watches import Watches
from bench.clients import Peer
from bench.contestants import Contestant
from bench.contestants.koproxy import ACCESS_LOG, AUDIT, Koproxy
from bench.contestants.nginx import Nginx
from bench.contestants.reverseproxy import ReverseProxy
from bench.contestants.twistedweb import TwistedWeb
from bench.load import Wrk
from bench.machine import Tools
from bench.options import COMPILED, Options

GOS = ("go-2", "go-1000", "go-http2")
_KEPT_CONNECTIONS = (1, 32, 256)
_FEW, _MANY = 1000, 10_000  # watches
_OTHER_FILES = 400  # that a proxy has open beside its watches
_UNSEEN_TOKENS, _UNSEEN_TOKENS_QUICK = 3000, 1000
_MOST_FLOODS = 2  # rounds


def contestants(options: Options, tools: Tools) -> list[Contestant]:
    """Those that were chosen."""
    go = tools.reverseproxy
    every: list[Contestant] = [
        Koproxy(),
        *([Koproxy(COMPILED, compiled_koproxy())] if COMPILED in options.contestants else []),
        Koproxy(ACCESS_LOG),
        Koproxy(AUDIT),
        Nginx(tools.nginx),
        ReverseProxy(go, "go-2"),
        ReverseProxy(go, "go-1000", idle=1000),
        ReverseProxy(go, "go-http2", idle=1000, http2=True),
        TwistedWeb(),
    ]
    return [contestant for contestant in every if contestant.name in options.contestants]


def watch_counts(options: Options, open_files: int) -> tuple[int, ...]:
    """How many watches; the most that a limit of ``open_files`` lets one process hold.

    A watch is two connections of a proxy.
    """
    most = max(1, (open_files - _OTHER_FILES) // 2)
    many = min(_MANY, most)
    return (min(_FEW, most),) if options.quick or many <= _FEW else (_FEW, many)


def cases(
    options: Options, wrk: Wrk, peer: Peer, issuer: Issuer, folder: Path, watches: tuple[int, ...]
) -> list[Case]:
    """Those that were chosen, in the order in which they are measured."""
    short = options.seconds / 2
    every: dict[str, list[Case]] = {
        "requests": [Requests(wrk, count, options.seconds) for count in _KEPT_CONNECTIONS],
        "answers": [Answers(peer, short)],
        "uploads": [Uploads(peer, short)],
        "tunnels": [Tunnels(peer, short)],
        "connections": [Connections(peer, short)],
        "watches": [Watches(peer, watches)],
    }
    if "tokens" in options.cases:
        count = _UNSEEN_TOKENS_QUICK if options.quick else _UNSEEN_TOKENS
        files = write_tokens(
            folder, [[token(issuer) for _ in range(count)] for _ in range(options.rounds)]
        )
        every["tokens"] = [
            Tokens(peer, files),
            Flood(wrk, peer, files, options.seconds, rounds=_MOST_FLOODS),
        ]
    return [case for name in options.cases for case in every[name]]
