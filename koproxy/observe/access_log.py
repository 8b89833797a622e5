"""The access log: a line of JSON for each request, or for a part of them and all that went wrong.

What a client has chosen is in it as data, each kind under its name; a token, a query (which may
hold one) and a body never are.
"""

import zlib
from collections.abc import Callable
from time import time
from typing import Any

from koproxy.audit.backend import Backend
from koproxy.audit.events import object_reference, timestamp, user_agent
from koproxy.identity.decision import Forbidden, Unauthenticated, Verified, decision_name
from koproxy.kubernetes_request import read_request_info
from koproxy.observe.correlation import correlate
from koproxy.proxy.account import Account

_WRONG = 500
"""From this status on a request is in the log whatever the sample."""

Line = dict[str, Any]


class AccessLog:
    """An observer that writes lines.

    Their times are in seconds: ``seconds`` from a request's head to the end of its answer,
    ``ownSeconds`` until it went to the API server, and ``upstreamSeconds`` from then to the head of
    the answer.
    """

    def __init__(self, log: Backend, sample: float, now: Callable[[], float] = time) -> None:
        """Take where lines go, and which part of the requests has one: from 0 to 1."""
        self._log = log
        self._chosen = round(sample * 0x1_0000_0000)
        self._now = now

    def answering(self, account: Account) -> None:
        """Keep what is known of a request, which may be forgotten before the answer's end."""
        account.note(self, _about(account))

    def complete(self, account: Account) -> None:
        """Write the line, if there is to be one."""
        if not account.id:
            correlate(account)
        if not (
            account.refusal
            or account.cut
            or account.status >= _WRONG
            or zlib.crc32(account.id.encode()) < self._chosen
        ):
            return
        line: Line = {
            "time": timestamp(self._now()),
            "id": account.id,
            "client": account.peer.decode(),
        }
        line |= account.noted(self) or _about(account)
        line |= {
            "status": account.status,
            "received": account.received,
            "returned": account.returned,
            "seconds": round(account.ended - account.began, 6),
        }
        if account.sent:
            line["ownSeconds"] = round(account.sent - account.began, 6)
        if account.sent and account.answered:
            line["upstreamSeconds"] = round(account.answered - account.sent, 6)
        if account.cut:
            line["cut"] = True
        if account.refusal:
            line["reason"] = account.refusal
        self._log.write(line)


def _about(account: Account) -> Line:
    """Say who asks for what."""
    line: Line = {"decision": decision_name(account.outcome)}
    decision, request = account.decision, account.request
    if isinstance(decision, Verified | Forbidden) and decision.identity is not None:
        line["user"] = decision.identity.username
    if isinstance(decision, Verified | Unauthenticated | Forbidden) and decision.issuer:
        line["issuer"] = decision.issuer
    if account.acting_as is not None:
        line["actingAs"] = account.acting_as.username
    if request is not None:
        info = read_request_info(request.method, request.target)
        line["method"] = request.method.decode()
        line["verb"] = info.verb
        line["path"] = info.path
        if info.is_resource:
            line |= object_reference(info)
        agent = user_agent(request.fields.value(b"user-agent"))
        if agent:
            line["userAgent"] = agent
    return line
