"""The verbs of Kubernetes by which faults are told whom to meet."""

import pytest
from koproxy_harness import HarnessError
from koproxy_harness.kube import fault_verbs
from koproxy_harness.kube.request_info import RequestInfo


@pytest.mark.parametrize(
    ("method", "path", "query", "verb"),
    [
        ("GET", "/api/v1/pods", {}, "list"),
        ("GET", "/api/v1/pods", {"watch": "1"}, "watch"),
        ("HEAD", "/api/v1/namespaces/a", {}, "get"),
        ("GET", "/version", {}, "get"),
        ("POST", "/api/v1/namespaces", {}, "create"),
        ("PUT", "/api/v1/namespaces/a", {}, "update"),
        ("PATCH", "/api/v1/namespaces/a", {}, "patch"),
        ("DELETE", "/api/v1/namespaces/a", {}, "delete"),
        ("DELETE", "/api/v1/namespaces", {}, "deletecollection"),
    ],
)
def test_every_verb_that_a_request_has_is_known_beside_its_method(method, path, query, verb):
    assert RequestInfo.of(method, path, query).verb == verb
    assert fault_verbs.known(verb, "*") == verb
    assert fault_verbs.known(verb.upper(), method.lower()) == verb


@pytest.mark.parametrize(
    ("verb", "method", "said"),
    [
        ("watchs", "*", "'watchs' is no verb of Kubernetes; there are get, list, watch, create"),
        ("post", "*", "'post' is no verb"),
        (None, "*", "None is no verb"),
        ("watch", "POST", "a request to watch is never a POST: leave verb or method out"),
        ("create", "GET", "a request to create is never a GET"),
    ],
)
def test_another_is_refused(verb, method, said):
    with pytest.raises(HarnessError, match=said):
        fault_verbs.known(verb, method)


def test_all_verbs():
    assert fault_verbs.known("*", "POST") == "*"
