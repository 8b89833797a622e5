"""``koproxy explain``: how a token, or claims, are decided on, step by step.

A token is read from a file or from standard input, never from an argument, which others on the
machine could see. Its signature is not printed.
"""

import json
import re
import sys
import time
from typing import Any

import click

from koproxy.cli.asking import SECONDS, asked
from koproxy.cli.options import Command, flags
from koproxy.cli.output import printable, say
from koproxy.identity.claims import read_registered
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.explanation import Rules, explain_claims, explain_text
from koproxy.identity.gojson import Members, NotJSON, TooDeep, loads
from koproxy.identity.issuer import canonical_issuer
from koproxy.identity.steps import Explanation
from koproxy.identity.token import read_token
from koproxy.identity.typed import Refused
from koproxy.settings import AUDIT, LIMITS, OBSERVING, SERVING, UPSTREAM, Settings

_LONGEST = 1024 * 1024
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")


@click.command(
    cls=Command,
    without=(SERVING, LIMITS, UPSTREAM, OBSERVING, AUDIT),
    epilog="The other flags of serve may be given too; nothing here depends on them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("arguments", nargs=-1, metavar="")
@click.option(
    "--token-file",
    metavar="FILE",
    default="-",
    help="File with the token; - is standard input.",
    show_default=True,
)
@click.option(
    "--claims",
    metavar="FILE",
    help="File with claims (a JSON object) to take for those of a good token; nothing is fetched.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print: lines for people, or JSON.",
    show_default=True,
)
@flags
def explain(
    arguments: tuple[str, ...], token_file: str, claims: str | None, output: str, **given: Any
) -> int:
    """Explain how a token is decided on, with the flags of serve.

    The token comes from standard input, or a file; its signature is not printed.

    Ends with status 0 if the identity would be passed on, else with 1.
    """
    if arguments:
        raise click.UsageError(
            "What it is about is no argument, which others could see: give a token on standard"
            " input or with --token-file, and claims with --claims."
        )
    settings = Settings(**given)
    if claims is not None:
        found, reason = _of_claims(_object(claims), settings), ""
    else:
        found, reason = _of_token(_token(token_file), settings)
    if not reason and not found.good:
        reason = found.steps[-1].text
    say(_json(found, reason) if output == "json" else _text(found, reason))
    return 0 if found.good and not reason else 1


def _read(flag: str, name: str) -> bytes:
    """Give what is in a file, or on standard input, if that isn't too much."""
    if name == "-" and sys.stdin is not None and sys.stdin.isatty():
        click.echo(f"koproxy: {flag} is read from here, up to Ctrl-D", err=True)
    try:
        with click.open_file(name, "rb") as file:
            found: bytes = file.read(_LONGEST + 1)
    except OSError as problem:
        if _is_token(name):
            raise click.UsageError(f"{flag} takes the name of a file, not what is in it.") from None
        raise click.UsageError(f"{flag} {name} can't be read ({problem.strerror}).") from None
    except RuntimeError:  # as click has it where that is closed
        raise click.UsageError("There is no standard input: name a file.") from None
    if len(found) > _LONGEST:
        raise click.UsageError(f"{flag} {name} has more than {_LONGEST} bytes: that is too much.")
    return found


def _is_token(name: str) -> bool:
    return name.startswith("ey") and name.count(".") == 2


def _object(name: str) -> Members:
    try:
        found = loads(_read("--claims", name))
    except TooDeep:
        raise click.UsageError(f"--claims {name} is nested too deeply.") from None
    except NotJSON:
        raise click.UsageError(f"--claims {name} is not JSON: write an object of claims.") from None
    if not isinstance(found, Members):
        raise click.UsageError(f"--claims {name} is no JSON object: write one, with braces.")
    return found


def _token(name: str) -> bytes:
    text = _read("--token-file", name).strip()
    scheme, *rest = text.split(None, 1)[:2] or [b""]
    if scheme.lower() == b"bearer":
        text = b"".join(rest)
    if not text:
        raise click.UsageError(f"--token-file {name} is empty: give it a token.")
    if _CONTROLS.search(text):
        raise click.UsageError(
            f"--token-file {name} has a line break or control character in the token, which no"
            " request could carry: put it on one line."
        )
    return text


def _of_claims(claims: Members, settings: Settings) -> Explanation:
    from koproxy.issuers import (  # noqa: PLC0415
        check_issuer_flags,
        check_reserved_groups,
        read_issuers,
    )
    from koproxy.modes import added_fields  # noqa: PLC0415

    check_reserved_groups(settings)
    check_issuer_flags(settings)
    issuers = {issuer.url: issuer for issuer in read_issuers(settings)}
    allowed = frozenset(settings.allow_reserved_groups)
    return explain_claims(claims, Rules(issuers, {}, allowed, added_fields(settings)))


def _of_token(text: bytes, settings: Settings) -> tuple[Explanation, str]:
    """Give the steps, and why it is refused where the steps don't say it."""

    async def decide(reactor: Any) -> tuple[Rules, Outcome]:
        from koproxy.issuers import make_authentication  # noqa: PLC0415

        authentication, _ = make_authentication(settings, reactor, seconds=SECONDS)
        authentication.startService()
        try:
            for url in authentication.problems:
                if url == _issuer_of(text):
                    await authentication.looked(url)
            decision = authentication.decide(b"Bearer " + text)
            outcome = decision if isinstance(decision, Outcome) else await decision
            return authentication.rules, outcome
        finally:
            await _stopped(authentication.stopService())

    rules, outcome = asked(decide)
    found = explain_text(text, rules, time.time(), outcome)
    match outcome:
        case Verified():
            return found, ""
        case Unauthenticated(reason):
            return found, reason
        case Forbidden(message) | Unavailable(message):
            return found, message


async def _stopped(stopping: Any) -> None:
    if stopping is not None:
        await stopping


def _issuer_of(text: bytes) -> str:
    try:
        return canonical_issuer(read_registered(read_token(text).claims).issuer)
    except Refused:
        return ""


def _headers(found: Explanation) -> list[list[str]]:
    lines = (found.headers or b"").decode(errors="replace").split("\r\n")[:-1]
    return [line.split(": ", 1) for line in lines]


def _text(found: Explanation, reason: str) -> str:
    width = max(len(step.name) for step in found.steps)
    lines = [
        f"{'ok' if step.good else 'no':2}  {step.name:{width}}  {step.text}" for step in found.steps
    ]
    if reason:
        return "\n".join(map(printable, [*lines, "", f"refused: {reason}"]))
    headers = [f"{name}: {value}" for name, value in _headers(found)]
    return "\n".join(map(printable, [*lines, "", *headers, "", "accepted"]))


def _json(found: Explanation, reason: str) -> str:
    identity = found.identity if not reason else None
    document: dict[str, Any] = {
        "accepted": not reason,
        "steps": [
            {"name": step.name, "good": step.good, "text": step.text} for step in found.steps
        ],
    }
    if reason:
        document["reason"] = reason
    if identity is not None:
        document["user"] = {
            "username": identity.username,
            "uid": identity.uid,
            "groups": list(identity.groups),
            "extra": {key: list(values) for key, values in identity.extra},
        }
        document["headers"] = _headers(found)
    return json.dumps(document, indent=2)
