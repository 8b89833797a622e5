"""The content of an ``--authentication-config``: all that is wrong with it, or what it says."""

from dataclasses import dataclass
from typing import cast

from koproxy.configuration.checking import Compiler, check
from koproxy.configuration.decoding import decode
from koproxy.configuration.document import SCHEMA
from koproxy.configuration.document import Anonymous as Given
from koproxy.configuration.issuers import issuers
from koproxy.configuration.problems import refusal, with_line
from koproxy.identity.anonymous import Anonymous
from koproxy.identity.expressions import Program
from koproxy.identity.issuer import Issuer

_FLAG = "--authentication-config"


@dataclass(frozen=True, slots=True)
class Configured:
    """What a file says.

    ``issuers`` are their rules, ``authorities`` (PEM), by URL, those of issuers that have some;
    ``anonymous`` says which requests need no token.
    """

    issuers: tuple[Issuer, ...]
    authorities: dict[str, str]
    anonymous: Anonymous


def configured(content: bytes, file: str, compiler: Compiler) -> Configured:
    """Read what is in ``file``; raises ConfigurationError with everything that is wrong with it."""
    where = f"{_FLAG} {file}"
    decoded = decode(content, SCHEMA)
    if decoded.configuration is None:
        raise refusal(where, decoded.problems)
    checked = check(decoded.configuration, compiler)
    problems = [with_line(each, decoded.lines) for each in checked.problems]
    if problems:
        raise refusal(where, problems)
    programs = {path: cast(Program, each) for path, each in checked.expressions.items()}
    entries = decoded.configuration.jwt
    return Configured(
        issuers(entries, programs),
        {
            each.issuer.url: each.issuer.certificate_authority
            for each in entries
            if each.issuer.certificate_authority
        },
        _anonymous(decoded.configuration.anonymous),
    )


def _anonymous(given: Given | None) -> Anonymous:
    if given is None:
        return Anonymous()
    return Anonymous(enabled=given.enabled, paths=[each.path for each in given.conditions])
