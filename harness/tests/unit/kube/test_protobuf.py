"""Protobuf bodies against what Go's own types make of the same objects.

`protobuf.jsonl.gz` was written by Go: objects filled at random, as protobuf and as JSON.
"""

import base64
import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube import protobuf

SAMPLES = [
    json.loads(line)
    for line in gzip.decompress(Path(__file__).with_name("protobuf.jsonl.gz").read_bytes()).split(
        b"\n"
    )
    if line
]


def said(value: Any) -> Any:
    """What an object says: nothing in it is as good as its not being there."""
    if isinstance(value, dict):
        kept = {key: said(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {}, "")}
    return [said(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", SAMPLES, ids=[each["json"]["kind"] for each in SAMPLES])
def test_it_says_what_json_says(sample: dict[str, Any]) -> None:
    read = protobuf.decode(base64.b64decode(sample["pb"]))
    assert said(read) == said(sample["json"])


def test_options_belong_to_every_group() -> None:
    named = b"\x0a\x07apps/v1\x12\x0dDeleteOptions"
    raw = b"\x22\x0aForeground"  # propagationPolicy, the fourth field
    body = b"k8s\x00" + bytes([10, len(named)]) + named + bytes([18, len(raw)]) + raw
    assert protobuf.decode(body) == {
        "apiVersion": "apps/v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
    }


@given(st.data())
def test_other_bytes_are_a_value_error(data: st.DataObject) -> None:
    good = base64.b64decode(data.draw(st.sampled_from(SAMPLES))["pb"])
    at = data.draw(st.integers(0, len(good)))
    middle = data.draw(st.binary(max_size=8))
    rest = good[data.draw(st.integers(at, len(good))) :]
    with contextlib.suppress(ValueError):
        protobuf.decode(good[:at] + middle + rest)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "begins with 'k8s'"),
        (b"k8s\x00\x0a\x0a\x0a\x02v1\x12\x04None", "kind 'None' of 'v1'"),
        (b"k8s\x00\x0a\xff", "cut"),
        (b"k8s\x00\x0b", "wire type 3"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        protobuf.decode(body)
