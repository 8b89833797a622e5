"""Which `Accept` fields take an answer in JSON."""

import pytest
from koproxy_harness.kube import acceptable
from koproxy_harness.kube.status import Refusal


@pytest.mark.parametrize(
    "accept",
    [
        [],
        [""],
        ["application/json"],
        ["Application/JSON ; charset=utf-8"],
        ["application/json;q=0.5"],
        ["application/json;stream=watch"],
        ["application/json;as=Table;v=v1;g=meta.k8s.io"],
        ["application/xml,*/*"],
        ["application/xml", "application/*"],
        ["application/vnd.kubernetes.protobuf, application/json"],
    ],
)
def test_who_takes_json(accept: list[str]) -> None:
    acceptable.see(accept)


@pytest.mark.parametrize(
    "accept",
    ["application/xml", "text/html, application/xml;q=0.9", "text/*", "*", "a", "application/yaml"],
)
def test_who_does_not(accept: str) -> None:
    with pytest.raises(Refusal, match="Available representations: application/json") as refused:
        acceptable.see([accept])
    assert (refused.value.code, refused.value.reason) == (406, "NotAcceptable")
