"""The rows of tables: every kind has one, for whatever there is of an object."""

import pytest
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.tables import rendering
from koproxy_harness.kube.tables.columns import COLUMNS

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
KINDS = Kinds(builtin.kinds())
NOW = 1704067200.0  # 2024-01-01T00:00:00Z


def table(kind, made, columns=None):
    return rendering(TABLE, kind, {}, columns, lambda: NOW).list([made], {})


def row(group, version, plural, **made):
    kind = KINDS.find(group, version, plural)
    (only,) = table(kind, {"metadata": {"name": "a"}, **made})["rows"]
    return only["cells"]


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: f"{kind.qualified}/{kind.version}")
def test_a_name_is_enough_to_be_printed(kind):
    shown = table(kind, {"metadata": {"name": "a"}})
    cells = len(shown["rows"][0]["cells"])
    # Of an address more is printed than there are columns, as a real server does it.
    assert cells == len(shown["columnDefinitions"]) + (kind.plural == "ipaddresses")


def test_there_are_no_columns_of_kinds_that_there_are_not():
    assert set(COLUMNS) <= {kind.resource for kind in KINDS}


def test_a_certificate_that_was_issued():
    status = {"conditions": [{"type": "Approved"}], "certificate": "eA=="}
    spec = {"signerName": "x/y", "username": "u", "expirationSeconds": 3600}
    cells = row("certificates.k8s.io", "v1", "certificatesigningrequests", spec=spec, status=status)
    assert cells == ["a", "<unknown>", "x/y", "u", "60m", "Approved,Issued"]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"waiting": {"reason": "ErrImagePull"}}, "ErrImagePull"),
        ({"terminated": {"exitCode": 0, "reason": "Completed"}}, "Completed"),
        ({"terminated": {"exitCode": 3}}, "ExitCode:3"),
        ({"terminated": {"exitCode": 137, "signal": 9}}, "Signal:9"),
        ({"running": {}}, "Pending"),
    ],
)
def test_a_pod_says_what_its_container_says(state, shown):
    status = {"phase": "Pending", "containerStatuses": [{"name": "a", "state": state}]}
    spec = {"containers": [{"name": "a"}]}
    assert row("", "v1", "pods", spec=spec, status=status)[1:3] == ["0/1", shown]


def test_a_custom_kind_s_cells_have_their_types():
    kind = KINDS.find("", "v1", "configmaps")
    made = {"metadata": {"name": "a"}, "spec": {"a": True, "b": 1.5, "c": {"y": 1, "x": "<"}}}
    columns = [
        {"name": path, "type": type_, "jsonPath": path}
        for path, type_ in (
            *((".spec.a", "boolean"), (".spec.a", "integer"), (".spec.a", "string")),
            *((".spec.b", "integer"), (".spec.b", "number"), (".spec.c", "string")),
            *((".spec.c", "date"), (".spec.d", "date")),
        )
    ]
    (only,) = table(kind, made, columns)["rows"]
    assert only["cells"][1:4] == [True, None, "true"]
    assert only["cells"][4:7] == [1, 1.5, '{"x":"\\u003c","y":1}']
    assert only["cells"][7:] == [None, None]
