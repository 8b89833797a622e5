"""Distributed claims (OpenID Connect Core 1.0, section 5.6.2): which source has a claim, and where.

The two claims that say so are read twice, as kube-apiserver does: once with the registered claims,
where go-oidc wants them whole, and once for the claim that is looked for. Nothing is fetched here.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from koproxy.identity.gojson import Members
from koproxy.identity.typed import Refused, string

_SOURCE = frozenset({"endpoint", "access_token", "jwt"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a distributed claim is to be had; the access token may be empty."""

    endpoint: str = ""
    access_token: str = field(default="", repr=False)


def find_source(claim: str, claims: Mapping[str, Any]) -> Source | None:
    """Find where ``claim`` is to be had; None if it isn't distributed, or aggregated.

    Raises Refused where the token says that there is a source, but not which.
    """
    if claim in claims or "_claim_names" not in claims:
        return None
    names: dict[str, str] = {}
    sources: dict[str, Source] = {}
    merge_names(names, claims["_claim_names"])
    if "_claim_sources" not in claims:
        raise Refused("it has _claim_names without _claim_sources")
    merge_sources(sources, claims["_claim_sources"], _SOURCE)
    if claim not in names:
        return None
    if names[claim] not in sources:
        raise Refused("its _claim_names name a source that its _claim_sources lack")
    source = sources[names[claim]]
    return source if source.endpoint else None


def merge_names(names: dict[str, str], value: Any) -> None:
    """Add the members of a ``_claim_names``; raises Refused if it is no map to strings."""
    if value is None:
        names.clear()
        return
    if not isinstance(value, Members):
        raise Refused("its _claim_names claim is no object")
    for claim, source in value.pairs:
        names[claim] = string("_claim_names", source)


def merge_sources(sources: dict[str, Source], value: Any, fields: Set[str]) -> None:
    """Add the members of a ``_claim_sources``, whose ``fields`` must be strings.

    Raises Refused for any other shape.
    """
    if value is None:
        sources.clear()
        return
    if not isinstance(value, Members):
        raise Refused("its _claim_sources claim is no object")
    for name, source in value.pairs:
        found = dict.fromkeys(fields, "")
        if source is not None:
            if not isinstance(source, Members):
                raise Refused("its _claim_sources claim has a source that is no object")
            for key, text in source.folded():
                if key in found:
                    found[key] = string("_claim_sources", text, found[key])
        sources[name] = Source(found["endpoint"], found["access_token"])
