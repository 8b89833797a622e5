"""Which source has a claim."""

import json
from typing import Any

import pytest

from koproxy.identity.distributed import Source, find_source
from koproxy.identity.gojson import loads
from koproxy.identity.typed import Refused


def find(**claims: Any) -> Source | None:
    return find_source("groups", loads(json.dumps(claims).encode()).last())


NAMES = {"groups": "s"}
SOURCES = {"s": {"endpoint": "https://claims.example", "access_token": "opener"}}


def test_a_source_is_found() -> None:
    found = find(_claim_names=NAMES, _claim_sources=SOURCES)
    assert found == Source("https://claims.example", "opener")
    assert "opener" not in repr(found)


def test_names_in_a_source_count_in_any_case() -> None:
    source = {"ENDPOINT": "https://claims.example", "Access_Token": None}
    assert find(_claim_names=NAMES, _claim_sources={"s": source}) == Source(
        "https://claims.example"
    )


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"groups": [], "_claim_names": NAMES, "_claim_sources": SOURCES},
        {"groups": None, "_claim_names": NAMES},
        {"_claim_names": {"roles": "s"}, "_claim_sources": SOURCES},
        {"_claim_names": {"Groups": "s"}, "_claim_sources": SOURCES},
        {"_claim_names": NAMES, "_claim_sources": {"s": {"JWT": "a.b.c"}}},
        {"_claim_names": NAMES, "_claim_sources": {"s": {"endpoint": ""}}},
        {"_claim_names": NAMES, "_claim_sources": {"s": None}},
        {"_claim_names": None, "_claim_sources": None},
        {"_CLAIM_NAMES": NAMES, "_claim_sources": SOURCES},
    ],
)
def test_there_may_be_none(claims: dict[str, Any]) -> None:
    assert find(**claims) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"_claim_names": NAMES},
        {"_claim_names": {}},
        {"_claim_names": None},
        {"_claim_names": NAMES, "_claim_sources": {}},
        {"_claim_names": NAMES, "_claim_sources": {"S": SOURCES["s"]}},
        {"_claim_names": ["groups"], "_claim_sources": SOURCES},
        {"_claim_names": {"roles": 1, **NAMES}, "_claim_sources": SOURCES},
        {"_claim_names": NAMES, "_claim_sources": {"s": {"JWT": 1}}},
        {"_claim_names": NAMES, "_claim_sources": {"t": {"jwt": {}}, **SOURCES}},
    ],
)
def test_a_source_that_is_announced_has_to_be_there(claims: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        find(**claims)
