"""Which objects a list or a watch is about: label and field selectors. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.selectors.fields import Term, field_terms
from koproxy_harness.kube.selectors.labels import Test, label_tests

__all__ = ["Selector", "selection"]


@dataclass(frozen=True)
class Selector:
    """What is asked of an object's labels and fields."""

    labels: tuple[Test, ...] = ()
    fields: tuple[Term, ...] = ()

    def matches(self, made: Mapping[str, Any]) -> bool:
        """Whether an object is meant."""
        labels = made["metadata"].get("labels") or {}
        return all(test(labels) for test in self.labels) and all(
            term.matches(made) for term in self.fields
        )


def selection(kind: Kind, query: Mapping[str, str], custom: Sequence[str] = ()) -> Selector:
    """Read the selectors of a request; raises `Refusal` 400 for one that can't be read.

    `custom` are the paths by which a definition lets its objects be selected.
    """
    return Selector(
        tuple(label_tests(query.get("labelSelector", ""))),
        tuple(field_terms(kind, query.get("fieldSelector", ""), custom)),
    )
