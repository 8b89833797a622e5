"""YAML as Kubernetes reads it."""

from typing import Any

import pytest
import yaml

from koproxy.kubernetes_yaml import Loader

# As sigs.k8s.io/yaml reads them.
WORDS = [
    *(("1e-05", 1e-05), ("1e5", 1e5), ("1.", 1.0), ("+.5", 0.5), ("1_0.5", 10.5), ("1:30", "1:30")),
    *(
        ("010", 8),
        ("0o7", 7),
        ("08", 8),
        ("0x1f", 31),
        ("-0x1f", -31),
        ("0b11", 3),
        ("1_000", 1000),
    ),
    *(("y", True), ("Yes", True), ("on", True), ("n", False), ("OFF", False), ("tRue", "tRue")),
    *(("~", None), ("Null", None), ("", None), ("2026-01-01", "2026-01-01"), ("1.5.2", "1.5.2")),
    *(("0b12", "0b12"), ("0x", "0x"), ("_1", "_1"), ("1e", "1e"), ("=", "=")),
]


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_plain_words_are_what_kubernetes_takes_them_for(word: str, value: Any) -> None:
    (found,) = yaml.load(f"a: {word}", Loader).values()
    assert (found, type(found)) == (value, type(value))


def test_merge_keys_are_merged() -> None:
    assert yaml.load("{a: &b {c: 1}, d: {<<: *b, e: 2}}", Loader)["d"] == {"c": 1, "e": 2}
