"""What a request is about, for logs, counts and audit policies, is what kube-apiserver says.

Kubernetes' own code judges, without a server around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localcluster.authenticator import Authenticator

from koproxy.kubernetes_request import read_request_info

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "BREW"]
PODS = "/api/v1/namespaces/demo/pods"
TARGETS = [
    *("/", "//", "/api", "/api/", "/apis", "/api/v1", "/api/v1/", "/apis/apps", "/apis/apps/v1"),
    *(
        "/healthz",
        "/version",
        "/openapi/v3?hash=x",
        "/logs/x",
        "/%2e%2e/x",
        "/a//b",
        "/apix/v1/pods",
    ),
    *(
        "/api/v1/pods",
        "/api/v1/pods/",
        "/api//v1/pods",
        "//api/v1/pods",
        "/api/v1//pods",
        "/api/v1/pods//x",
    ),
    *(
        PODS,
        f"{PODS}/web",
        f"{PODS}/web/",
        f"{PODS}/web/log",
        f"{PODS}/web/log/more",
        f"{PODS}//log",
    ),
    *(
        f"{PODS}?watch=true",
        f"{PODS}?watch=1",
        f"{PODS}?watch",
        f"{PODS}?watch=",
        f"{PODS}?watch=x",
    ),
    *(f"{PODS}?watch=false", f"{PODS}?watch=False", f"{PODS}?watch=0", f"{PODS}?watch=f"),
    *(f"{PODS}?watch=0&watch=1", f"{PODS}?watch=1&watch=0", f"{PODS}?Watch=1", f"{PODS}?w%61tch=1"),
    *(
        f"{PODS}?watch=tr%75e",
        f"{PODS}?a;watch=1",
        f"{PODS}?watch=1;b=2&watch=0",
        f"{PODS}?watch=%zz",
    ),
    *(f"{PODS}?&watch=1", f"{PODS}?=&watch=1", f"{PODS}?watch=+", f"{PODS}/web?watch=1"),
    f"{PODS}?fieldSelector=metadata.name%3Dweb",
    f"{PODS}?fieldSelector=metadata.name=web",
    f"{PODS}?fieldSelector=metadata.name==web",
    f"{PODS}?fieldSelector=metadata.name!=web",
    f"{PODS}?fieldSelector=a%3Db,metadata.name%3Dweb,c=d",
    f"{PODS}?fieldSelector=metadata.name%3Dweb,metadata.name%3Dother",
    f"{PODS}?fieldSelector=metadata.name%3D..",
    f"{PODS}?fieldSelector=metadata.name%3Da%2Fb",
    f"{PODS}?fieldSelector=metadata.name%3Da%5C%2Cb",
    f"{PODS}?fieldSelector=+metadata.name%3Dweb",
    f"{PODS}?fieldSelector=metadata.name%3D",
    f"{PODS}?fieldSelector=x",
    f"{PODS}?watch=1&fieldSelector=metadata.name%3Dweb",
    f"{PODS}?fieldSelector=a%3Db&fieldSelector=metadata.name%3Dweb",
    *(
        "/api/v1/watch/pods",
        "/api/v1/watch/namespaces/demo/pods/web",
        "/api/v1/watch",
        "/api/v1/proxy",
    ),
    *(
        "/api/v1/proxy/namespaces/demo/services/web/x/y",
        "/api/v1/namespaces/demo/services/web/proxy/a/b",
    ),
    *("/api/v1/namespaces", "/api/v1/namespaces/demo", "/api/v1/namespaces/demo/status"),
    *(
        "/api/v1/namespaces/demo/finalize",
        "/api/v1/namespaces/demo/finalize/x",
        "/api/v1/namespaces//pods",
    ),
    *(
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/namespaces/demo/deployments/web/scale",
        "/apis//v1/x",
    ),
    *(
        "/api/v1/namespaces/d%65mo/pods/w%2Fb",
        "/api/v1/namespaces/%zz/pods",
        "/api/v1/n%C3%A4h/x",
        "/api/v1/%ff/x",
    ),
    *("/api/v1/namespaces/demo/pods?limit=5#x", "/API/v1/pods", "/api/v1/Pods"),
]

SEGMENTS = st.sampled_from(
    [
        *(
            "api",
            "apis",
            "v1",
            "apps",
            "namespaces",
            "demo",
            "pods",
            "web",
            "log",
            "status",
            "finalize",
        ),
        *("watch", "proxy", "", "%2f", "a%20b", "services", "scale", "."),
    ]
)
PAIRS = st.tuples(
    st.sampled_from(["watch", "fieldSelector", "", "x"]),
    st.sampled_from(
        [
            *(
                "",
                "=",
                "=true",
                "=false",
                "=0",
                "=1",
                "=False",
                "=metadata.name%3Dweb",
                "=metadata.name=x",
            ),
            *(
                "=a%3Db,metadata.name%3Dc",
                "=metadata.name%21%3Dweb",
                "=metadata.name%3Da%5C%2Cb",
                "=a,metadata.name=x",
                "=metadata.name=x%5C",
                "=spec.nodeName%3Dn",
                "=%20",
            ),
        ]
    ),
)
QUERIES = st.lists(PAIRS.map("".join), max_size=3).map("&".join)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authenticator]:
    authenticator = Authenticator(Path(tmp_path_factory.mktemp("judge")) / "log")
    yield authenticator
    authenticator.close()


def compare(judge: Authenticator, method: str, target: str) -> None:
    said = judge.ask_about(method, target)
    if said.refused:  # kube-apiserver has answered 400 by then
        return
    ours = asdict(read_request_info(method.encode(), target.encode()))
    if not said.read["is_resource"]:
        said.read["api_prefix"] = ""  # it has one where the path is as long as a resource's
    assert ours == said.read


@pytest.mark.parametrize("target", TARGETS)
def test_targets_by_hand(judge: Authenticator, target: str) -> None:
    for method in METHODS:
        compare(judge, method, target)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(METHODS),
    beginning=st.sampled_from(["/", "/api/v1/", "/apis/apps/v1/", "/api/v1/namespaces/"]),
    segments=st.lists(SEGMENTS, max_size=8),
    query=QUERIES,
)
def test_targets_of_all_sorts(
    judge: Authenticator, method: str, beginning: str, segments: list[str], query: str
) -> None:
    compare(judge, method, beginning + "/".join(segments) + (f"?{query}" if query else ""))
