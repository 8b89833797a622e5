"""Who decides in the machine, and what was decided."""

from support.memory import JANE, Authentication
from twisted.internet.defer import Deferred

from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.user import Identity

ANNA = Verified(
    b"Impersonate-User: anna\r\nImpersonate-Group: dev\r\n",
    Identity("anna", groups=("dev",)),
    float("inf"),
)
FAULT = RuntimeError("a fault of ours")
DECISIONS: tuple[Outcome | RuntimeError, ...] = (
    JANE,
    ANNA,
    Unauthenticated("it has expired"),
    Forbidden("not this one"),
    Unavailable("no keys yet"),
    FAULT,
)


class Deciding(Authentication):
    """Knows a few people; those with a token ``late-…`` are decided one by one, when it's time."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes[b"Bearer anna"] = ANNA
        self.waiting: dict[bytes, Deferred[Outcome]] = {}
        self.decided: dict[bytes, Outcome | RuntimeError] = {}

    def decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        if authorization.startswith(b"Bearer late-"):
            self.waiting[authorization] = Deferred()
            return self.waiting[authorization]
        return super().decide(authorization)

    def settle(self, authorization: bytes, outcome: Outcome | RuntimeError) -> None:
        """Decide a late one."""
        self.decided[authorization] = outcome
        waiting = self.waiting.pop(authorization)
        if isinstance(outcome, RuntimeError):
            waiting.errback(outcome)
        else:
            waiting.callback(outcome)

    def outcome(self, authorization: bytes) -> Outcome | RuntimeError | None:
        """What was decided; None if nothing was yet."""
        if authorization.startswith(b"Bearer late-"):
            return self.decided.get(authorization)
        return self.outcomes.get(authorization, Unauthenticated("not known"))
