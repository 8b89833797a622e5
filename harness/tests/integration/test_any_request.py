"""Whatever a client asks the mock API server, it gets an answer, and a `Status` where that is no.

What the server could not cope with would be raised again where its `with` block ends.
"""

import http.client
import json
import ssl
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from koproxy_harness import KubeAPI

OBJECTS = """
kind: Pod
metadata: {name: web, labels: {a: b}}
spec: {containers: [{name: main}]}
---
kind: ConfigMap
metadata: {name: web, finalizers: [x.io/mine]}
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1}
---
kind: ServiceAccount
metadata: {name: web}
"""
words = st.sampled_from(
    [
        *("web", "none", "default", "kube-system", "Big_Name", "a b", "%zz", "..", "", "é"),
        *("status", "scale", "log", "exec", "token", "eviction", "finalize", "binding", "proxy"),
    ]
)
resources = st.sampled_from(
    [
        *("/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"),
        *("/api/v1/pods", "/api/v1/namespaces", "/api/v1/nodes", "/api/v1/nothing"),
        *("/apis/apps/v1/namespaces/default/deployments", "/apis/apps/v1/deployments"),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/api/v1/namespaces/default/serviceaccounts",
        *("/api", "/apis", "/apis/apps", "/openapi/v3", "/version", "/healthz", "/", "/metrics"),
    ]
)
_THERE = "/api/v1/namespaces/default"
there = st.sampled_from(
    [
        *(f"{_THERE}/{kind}" for kind in ("pods", "configmaps", "secrets", "serviceaccounts")),
        *(f"{_THERE}/{kind}/web" for kind in ("pods", "configmaps", "services")),
        *(f"{_THERE}/pods/web/{part}" for part in ("status", "log", "eviction", "binding")),
        "/apis/apps/v1/namespaces/default/deployments/web",
        "/apis/apps/v1/namespaces/default/deployments/web/scale",
        "/apis/apps/v1/namespaces/default/deployments/web/status",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/api/v1/namespaces/default/serviceaccounts/web/token",
    ]
)
elsewhere = st.builds(
    lambda resource, more: "/".join([resource, *(quote(each) for each in more)]),
    resources,
    st.lists(words, max_size=3),
)
paths = there | there | elsewhere
parameters = st.dictionaries(
    st.sampled_from(
        [
            *("limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector"),
            *("fieldSelector", "dryRun", "fieldManager", "fieldValidation", "force", "command"),
            *("propagationPolicy", "container", "tailLines", "allowWatchBookmarks", "pretty"),
            *("gracePeriodSeconds", "sinceTime", "includeObject"),
        ]
    ),
    st.sampled_from(
        ["0", "1", "-1", "true", "All", "x", "a=b", "a in (b", "", "²", "1e9", "9" * 40]
    ),
    max_size=3,
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["web", "v1", "Pod", "a", "", "10", "2026-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "metadata",
                        "name",
                        "namespace",
                        "spec",
                        "status",
                        "kind",
                        "apiVersion",
                        "data",
                    ),
                    *(
                        "labels",
                        "containers",
                        "rules",
                        "subjects",
                        "roleRef",
                        "finalizers",
                        "items",
                    ),
                    *("ownerReferences", "managedFields", "names", "versions", "group", "replicas"),
                    *("resourceAttributes", "token", "preconditions", "template", "$patch", "op"),
                    *("path", "value", "generateName", "annotations", "schema"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
bodies = (
    st.binary(max_size=20)
    | values.map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda kind, value: json.dumps({**kind, **value}).encode(),
        st.sampled_from(
            [
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}},
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},
            ]
        ),
        st.dictionaries(
            st.sampled_from(["spec", "data", "status", "metadata"]), values, max_size=2
        ),
    )
)
types = st.sampled_from(
    [
        *["application/json"] * 4,
        *("application/yaml", "application/vnd.kubernetes.protobuf", "x/y", ""),
        *("application/json-patch+json", "application/merge-patch+json"),
        *("application/strategic-merge-patch+json", "application/apply-patch+yaml"),
    ]
)
accepts = st.sampled_from(
    [
        "*/*",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "text/html",
        ";;=",
    ]
)


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        yield api


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "PATCH", "DELETE", "ODD"]),
    path=paths,
    query=parameters,
    body=bodies,
    content_type=types,
    accept=accepts,
)
def test_there_is_an_answer(
    api: KubeAPI,
    method: str,
    path: str,
    query: dict[str, str],
    body: bytes,
    content_type: str,
    accept: str,
) -> None:
    api.apply(OBJECTS)
    trust = ssl.create_default_context(cadata=api.ca_pem)
    client = http.client.HTTPSConnection("127.0.0.1", api.port, context=trust, timeout=20)
    target = path + ("?" + "&".join(f"{k}={quote(v)}" for k, v in query.items()) if query else "")
    client.request(
        method,
        target,
        body,
        {
            "Authorization": f"Bearer {api.admin_token}",
            "Content-Type": content_type,
            "Accept": accept,
        },
    )
    answer = client.getresponse()
    text = answer.read()
    client.close()
    assert 200 <= answer.status < 600
    if answer.status >= 400 and method != "HEAD":
        assert json.loads(text)["kind"] == "Status"
