"""``koproxy explain``: how a token, or claims, are decided on, step by step.

A token is read from a file or from standard input, never from an argument, which others on the
machine could see. Its signature is not printed.
"""

import json
import time
from typing import IO, Any

import click

from koproxy.cli.asking import asked
from koproxy.cli.options import flags
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.distributed import find_source
from koproxy.identity.explanation import Explanation, Rules, explain_claims, explain_token
from koproxy.identity.gojson import Members, loads
from koproxy.identity.issuer import canonical_issuer
from koproxy.identity.token import Token, read_token
from koproxy.identity.typed import Refused
from koproxy.settings import Settings

_LONGEST = 1024 * 1024


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--token-file",
    type=click.File("rb"),
    default="-",
    help="File with the token; - is standard input.",
    show_default=True,
)
@click.option(
    "--claims",
    type=click.File("rb"),
    help="File with claims (a JSON object) to take for those of a good token; nothing is fetched.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@flags
def explain(token_file: IO[bytes], claims: IO[bytes] | None, output: str, **given: Any) -> int:
    """Explain how a token is decided on, with the flags of serve.

    Ends with status 0 if the identity would be passed on, else with 1.
    """
    settings = Settings(**given)
    if claims is not None:
        found, reason = _of_claims(_object(claims), settings), ""
    else:
        found, reason = _of_token(_token(token_file), settings)
    if not reason and not found.good:
        reason = found.steps[-1].text
    click.echo(_json(found, reason) if output == "json" else _text(found, reason))
    return 0 if found.good and not reason else 1


def _object(file: IO[bytes]) -> Members:
    try:
        found = loads(file.read(_LONGEST))
    except ValueError as wrong:
        raise click.UsageError(f"--claims {file.name} is not JSON: {wrong}.") from None
    if not isinstance(found, Members):
        raise click.UsageError(f"--claims {file.name} is no JSON object: write one, with braces.")
    return found


def _token(file: IO[bytes]) -> bytes:
    text = file.read(_LONGEST).strip()
    scheme, blank, rest = text.partition(b" ")
    text = rest.strip() if blank and scheme.lower() == b"bearer" else text
    if not text:
        raise click.UsageError(f"--token-file {file.name} is empty: give it a token.")
    return text


def _of_claims(claims: Members, settings: Settings) -> Explanation:
    from koproxy.issuers import read_issuers  # noqa: PLC0415

    issuers = {issuer.url: issuer for issuer in read_issuers(settings)}
    return explain_claims(claims, Rules(issuers, {}, frozenset(settings.allow_reserved_groups)))


def _of_token(text: bytes, settings: Settings) -> tuple[Explanation, str]:
    """Give the steps, and why it is refused where the steps don't say it."""
    try:
        token = read_token(text)
    except Refused as refused:
        raise click.UsageError(f"What was given as the token can't be read: {refused}.") from None

    async def decide(reactor: Any) -> tuple[Rules, Outcome]:
        from koproxy.issuers import make_authentication  # noqa: PLC0415

        authentication, _ = make_authentication(settings, reactor)
        authentication.startService()
        try:
            for url in authentication.problems:
                if url == _issuer_of(token):
                    await authentication.looked(url)
            decision = authentication.decide(b"Bearer " + text)
            outcome = decision if isinstance(decision, Outcome) else await decision
            return authentication.rules, outcome
        finally:
            await _stopped(authentication.stopService())

    rules, outcome = asked(decide)
    found = explain_token(token, rules, time.time(), _elsewhere(token, rules, outcome))
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


def _issuer_of(token: Token) -> str:
    claimed = token.claims.last().get("iss")
    return canonical_issuer(claimed) if isinstance(claimed, str) else ""


def _elsewhere(token: Token, rules: Rules, outcome: Outcome) -> tuple[str, ...] | None:
    """The groups that were fetched, as they came."""
    issuer = rules.issuers.get(_issuer_of(token))
    if issuer is None or not isinstance(outcome, Verified) or not issuer.groups_claim:
        return None
    if find_source(issuer.groups_claim, token.claims.last()) is None:
        return None
    return tuple([each.removeprefix(issuer.groups_prefix) for each in outcome.identity.groups])


def _headers(found: Explanation) -> list[list[str]]:
    lines = (found.headers or b"").decode(errors="replace").splitlines()
    return [line.split(": ", 1) for line in lines]


def _text(found: Explanation, reason: str) -> str:
    width = max(len(step.name) for step in found.steps)
    lines = [
        f"{'ok' if step.good else 'no':2}  {step.name:{width}}  {step.text}" for step in found.steps
    ]
    if reason:
        return "\n".join([*lines, "", f"refused: {reason}"])
    headers = [f"{name}: {value}" for name, value in _headers(found)]
    return "\n".join([*lines, "", *headers, "", "accepted"])


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
    return json.dumps(document, indent=2, ensure_ascii=False)
