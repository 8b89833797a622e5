"""Whether a request takes the answers that there are. Pure.

Objects are answered in JSON alone; as which shape of it is the business of `tables`.
"""

from __future__ import annotations

from collections.abc import Iterable

from koproxy_harness.kube.status import Refusal

_TAKING_JSON = ("application/json", "application/*", "*/*")


def see(accept: Iterable[str]) -> None:
    """See that a request with these `Accept` fields takes JSON; raises `Refusal` 406.

    No field, or an empty one, takes anything; weights (`q`) are not looked at.
    """
    ranges = [each.partition(";")[0].strip().lower() for each in ",".join(accept).split(",")]
    offered = [each for each in ranges if each]
    if offered and not any(each in _TAKING_JSON for each in offered):
        raise Refusal(
            406,
            "406: Not Acceptable\n\nAvailable representations: application/json",
            "NotAcceptable",
        )
