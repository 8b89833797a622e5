"""Which differences there may be between the two, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from e2e.differential.judge import EVERYBODY, Nobody, Person

from koproxy.identity.decision import Outcome, Verified

REFUSALS = {
    "the token gives an empty user name": "an empty Impersonate-User would be the proxy itself",
    "has a control character": "no header carries one",
    "begins or ends with a blank": "a header loses it, and the name becomes another",
    "the user name .* is reserved": "a token may not make somebody one of Kubernetes' own users",
    "the group .* is reserved": "nor a member of its own groups, unless an option names the group",
    "more than [0-9]+ bytes": "an API server takes no longer head",
    "is nested too deeply": "reading costs a stack",
    "its header brings a key of its own": "the way of an old attack; no issuer does it",
    "no https URL": "who listens on the way could change the groups",
}
"""What koproxy says when it refuses an identity that kube-apiserver takes: why it does."""

ACCEPTED_KEY_SETS = (
    "beside it",  # RFC 7517, section 5: what isn't understood is ignored
    "use 1",
    "alg 1",
)
"""Key sets that kube-apiserver doesn't read at all and koproxy reads without the odd key."""


@dataclass(frozen=True)
class Difference:
    """What both said, where that is not the same."""

    judge: Person | Nobody
    koproxy: Outcome

    @property
    def refusal(self) -> str | None:
        """The documented refusal that it is, if it is one."""
        if isinstance(self.koproxy, Verified) or isinstance(self.judge, Nobody):
            return None
        said = getattr(self.koproxy, "reason", None) or getattr(self.koproxy, "message", "")
        return next((each for each in REFUSALS if re.search(each, said)), None)


def compare(judge: Person | Nobody, koproxy: Outcome) -> Difference | None:
    """Return the difference between what both said."""
    if isinstance(koproxy, Verified):
        same = judge == person(koproxy)
    else:
        same = isinstance(judge, Nobody)
    return None if same else Difference(judge, koproxy)


def person(verified: Verified) -> Person:
    """Return whom an API server would see, where koproxy passes this on."""
    identity = verified.identity
    groups = identity.groups
    if EVERYBODY not in groups and "system:unauthenticated" not in groups:
        groups = (*groups, EVERYBODY)
    return Person(identity.username, groups, identity.uid, tuple(sorted(identity.extra)))
