"""What a request is about; the end-to-end tests hold far more against Kubernetes' own code."""

import pytest

from koproxy.kubernetes_request import RequestInfo, read_request_info

PODS = "/api/v1/namespaces/demo/pods"


@pytest.mark.parametrize(
    ("method", "target", "verb", "resource", "name"),
    [
        ("GET", PODS, "list", "pods", ""),
        ("HEAD", f"{PODS}/web", "get", "pods", "web"),
        ("GET", f"{PODS}?watch=1", "watch", "pods", ""),
        ("GET", f"{PODS}?w%61tch", "watch", "pods", ""),
        ("GET", f"{PODS}?watch=False", "list", "pods", ""),
        ("GET", f"{PODS}?w%61t%63h=1", "watch", "pods", ""),
        ("GET", f"{PODS}?xwatch=1&watchx=1", "list", "pods", ""),
        ("GET", f"{PODS}?&&watch=%zz&watch=;&watch&watch=0", "watch", "pods", ""),
        ("GET", f"{PODS}?watch=0&watch=1", "list", "pods", ""),
        ("GET", f"{PODS}?{'&' * 600}watch=1", "watch", "pods", ""),
        ("GET", f"{PODS}?fieldSelector=metadata.name=w{',' * 2047}", "list", "pods", ""),
        ("GET", f"{PODS}?a;watch=1", "list", "pods", ""),
        ("GET", f"{PODS}?watch=%zz", "list", "pods", ""),
        ("GET", f"{PODS}?fieldSelector=metadata.name%3Dweb", "list", "pods", "web"),
        ("GET", f"{PODS}?fieldSelector=b=c,metadata.name==web", "list", "pods", "web"),
        ("GET", f"{PODS}?fieldSelector=metadata.name!=web", "list", "pods", ""),
        ("GET", f"{PODS}?fieldSelector=metadata.name=web%5C", "list", "pods", ""),
        ("GET", f"{PODS}?fieldSelector=metadata.name=a%2Fb", "list", "pods", ""),
        ("GET", f"{PODS}?fieldSelector=metadata.name=web,x", "list", "pods", ""),
        ("DELETE", PODS, "deletecollection", "pods", ""),
        ("DELETE", f"{PODS}/web", "delete", "pods", "web"),
        ("PATCH", f"{PODS}/web/status", "patch", "pods/status", "web"),
        ("POST", f"{PODS}/web/exec?command=sh", "create", "pods/exec", "web"),
        ("GET", "/api/v1/watch/namespaces/demo/pods/web", "watch", "pods", "web"),
        ("GET", "/api/v1/namespaces/demo/finalize", "get", "namespaces/finalize", "demo"),
        ("BREW", PODS, "", "pods", ""),
    ],
)
def test_resources(method: str, target: str, verb: str, resource: str, name: str) -> None:
    info = read_request_info(method.encode(), target.encode())
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    assert (info.is_resource, info.verb, whole, info.name) == (True, verb, resource, name)
    assert (info.namespace, info.api_prefix, info.api_version) == ("demo", "api", "v1")


@pytest.mark.parametrize(
    "target", ["/", "/api", "/api/v1", "/apis/apps", "/healthz?a", "/API/v1/x"]
)
def test_what_is_about_no_resource_has_its_method(target: str) -> None:
    info = read_request_info(b"GET", target.encode())
    assert info == RequestInfo("get", target.partition("?")[0])


def test_a_long_target_is_read_all_the_same() -> None:
    info = read_request_info(b"GET", f"{PODS}?x={'y' * 60000}&watch=1".encode())
    assert info.verb == "watch"


def test_a_group_s_resource() -> None:
    info = read_request_info(b"PUT", b"/apis/apps/v1/namespaces/a/deployments/b/scale")
    assert info == RequestInfo(
        "update",
        "/apis/apps/v1/namespaces/a/deployments/b/scale",
        True,
        "apis",
        "apps",
        "v1",
        "a",
        "deployments",
        "scale",
        "b",
    )
