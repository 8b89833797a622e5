"""Token exchange (RFC 8693): a token of this issuer for one that is good elsewhere.

With an actor's token it is delegation, which the claim `act` tells (section 4.1), and without
one impersonation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.authorization_request import requested_scope
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Grant
from koproxy_harness.issuer.flows.issuing import ACCESS_TOKEN, Issuing, requested_audience
from koproxy_harness.issuer.flows.reading import BadToken, Read, Reading

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPE = "urn:ietf:params:oauth:token-type:"
_ACCESS, _ID, _JWT = (_TYPE + name for name in ("access_token", "id_token", "jwt"))


def token_exchange(
    issuing: Issuing, reading: Reading, form: Form, client: Client
) -> dict[str, Any]:
    """Give a token for the subject of the one that came (sections 2.1 and 2.2)."""
    wanted = form.get("requested_token_type") or _ACCESS
    if wanted not in (_ACCESS, _ID, _JWT):
        raise OAuthError("invalid_request", "requested_token_type is one that is not made here")
    subject = _read(reading, form, "subject")
    actor = None
    if "actor_token" in form:
        actor = _read(reading, form, "actor")
    elif "actor_token_type" in form:
        raise OAuthError("invalid_request", "actor_token_type is there without actor_token")
    scope = requested_scope(form)
    allowed = subject.scope
    if allowed is not None and not set(scope) <= set(allowed):
        raise OAuthError("invalid_scope", "scope has more in it than the subject's token")
    scope = scope or allowed or ()
    audience = requested_audience(form) or tuple(client.audience) or (client.client_id,)
    grant = subject.grant or Grant(client.client_id, None, scope)
    claims = {
        **subject.about_person,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "act": _act(subject, actor),
        "auth_time": subject.claims.get("auth_time"),
    }
    if wanted == _ID:
        token = issuing.signed({**claims, "azp": client.client_id}, grant)
    else:
        claims |= {"client_id": client.client_id, "scope": " ".join(scope)}
        token = issuing.signed(claims, grant, ACCESS_TOKEN if wanted == _ACCESS else None)
    return {
        "access_token": token,
        "issued_token_type": wanted,
        "token_type": "N_A" if wanted == _ID else "Bearer",  # section 2.2.1
        "expires_in": int(issuing.lifetime),
        "scope": " ".join(scope),
    }


def _read(reading: Reading, form: Form, whose: str) -> Read:
    text = form.need(f"{whose}_token")
    kind = form.need(f"{whose}_token_type")
    if kind not in (_ACCESS, _ID, _JWT):
        raise OAuthError("invalid_request", f"{whose}_token_type is one that is not taken here")
    try:
        token = reading.read(text)
    except BadToken as bad:
        raise OAuthError("invalid_request", f"{whose}_token {bad}") from None
    if "sub" not in token.claims:
        raise OAuthError("invalid_request", f"{whose}_token has no sub")
    return token


def _act(subject: Read, actor: Read | None) -> Mapping[str, Any] | None:
    """Who acts now, and within, who acted before; `may_act` says who may (section 4.4)."""
    before = subject.claims.get("act")
    if actor is None:
        return before
    may_act = subject.claims.get("may_act")
    if may_act is not None and (
        not isinstance(may_act, Mapping)
        or any(actor.claims.get(name) != value for name, value in may_act.items())
    ):
        raise OAuthError("invalid_request", "the subject's token does not let this actor act")
    return {"sub": actor.claims["sub"], **({"act": before} if before else {})}
