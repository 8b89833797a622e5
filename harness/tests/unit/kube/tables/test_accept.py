"""Which shape of objects an Accept field asks for."""

import pytest
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.tables.accept import Shape, shape

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
BETA = TABLE.replace("v=v1", "v=v1beta1")
UNKNOWN = TABLE.replace("Table", "Nope")
AS_IT_IS, A_TABLE = Shape(), Shape("Table", "v1")


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        *(("", AS_IT_IS), ("*/*", AS_IT_IS), ("application/json", AS_IT_IS)),
        *((TABLE, A_TABLE), (BETA, Shape("Table", "v1beta1"))),
        *((f"{TABLE},{BETA},application/json", A_TABLE), (f"application/json,{TABLE}", AS_IT_IS)),
        *((f"{TABLE};q=0.5,application/json", AS_IT_IS), (f"*/*,{TABLE}", A_TABLE)),
        *((f"application/json;q=0.1,{TABLE};q=0.9", A_TABLE), (f"{UNKNOWN},{TABLE}", A_TABLE)),
        *((f"application/yaml,{TABLE}", A_TABLE), (f"{TABLE};q=x,application/json", AS_IT_IS)),
        *((f"{TABLE};q=nan,application/json", AS_IT_IS), (f"{UNKNOWN},*/*", AS_IT_IS)),
        (TABLE.replace("Table", "PartialObjectMetadata"), Shape("PartialObjectMetadata", "v1")),
    ],
)
def test_what_is_asked_for(accept, asked):
    assert shape(accept) == asked


@pytest.mark.parametrize(
    "accept",
    [
        *(UNKNOWN, f"{UNKNOWN},{TABLE.replace('v=v1', 'v=v2')}", "application/json;as=Table"),
        *(TABLE.replace("meta", "other"), TABLE.replace("Table", "table"), f"text/html,{UNKNOWN}"),
    ],
)
def test_what_there_is_not_is_refused(accept):
    with pytest.raises(Refusal, match="only the following media types are accepted") as refused:
        shape(accept)
    assert (refused.value.code, refused.value.reason) == (406, "NotAcceptable")
