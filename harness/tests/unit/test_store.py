"""The object store of the mock API server, and the protobuf bodies that it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube import protobuf
from koproxy_harness.kube.resources import KINDS, discovery
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Selection, Store

NAMESPACE, POD, CONFIGMAP = KINDS


def named(name, **more):
    return {"metadata": {"name": name}, **more}


@pytest.fixture
def store():
    store = Store()
    store.create(NAMESPACE, named("demo"))
    return store


def names(store, *selection):
    return [each["metadata"]["name"] for each in store.select(Selection(*selection))]


def test_objects_are_found_by_kind_namespace_and_name(store):
    store.create(POD, named("a"), "demo")
    store.create(POD, named("b"), "default")
    store.create(CONFIGMAP, named("c"), "demo")
    assert names(store, POD) == ["a", "b"]
    assert names(store, POD, "demo") == ["a"]
    assert names(store, POD, None, "b") == ["b"]
    assert store.get(POD, "demo", "a")["kind"] == "Pod"


@pytest.mark.parametrize(
    ("given_object", "namespace", "code"),
    [
        (named("a"), "nowhere", 404),
        ({"metadata": {}}, "demo", 400),
        ({"metadata": {"name": "a", "namespace": "default"}}, "demo", 400),
        (named("there"), "demo", 409),
    ],
)
def test_what_kubernetes_refuses_is_refused(store, given_object, namespace, code):
    store.create(POD, named("there"), "demo")
    with pytest.raises(Refusal) as refused:
        store.create(POD, given_object, namespace)
    assert refused.value.code == code


def test_applying_again_keeps_who_the_object_is(store):
    first = store.apply(POD, {"metadata": {"name": "a", "namespace": "demo"}, "spec": 1})
    second = store.apply(POD, {"metadata": {"name": "a", "namespace": "demo"}, "spec": 2})
    assert second["spec"] == 2
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])


def test_what_is_given_stays_as_it_is(store):
    manifest = named("a")
    for _ in range(2):
        store.apply(POD, manifest)
    assert manifest == named("a")


def test_with_a_namespace_goes_what_is_in_it(store):
    store.create(POD, named("a"), "demo")
    store.delete(NAMESPACE, "", "demo")
    assert names(store, POD) == []


def told(store, selection, since, change):
    heard = []
    past, unwatch = store.watch(selection, since, heard.append)
    change()
    unwatch()
    store.create(POD, named("unheard"), "default")
    return [(event.type, event.object["metadata"]["name"]) for event in (*past, *heard)]


def test_a_watch_begins_with_what_is_there_and_tells_what_is_meant(store):
    store.create(POD, named("old"), "demo")

    def change():
        store.create(POD, named("new"), "demo")
        store.create(POD, named("elsewhere"), "default")
        store.apply(POD, {"metadata": {"name": "old", "namespace": "demo"}})
        store.delete(POD, "demo", "new")

    assert told(store, Selection(POD, "demo"), 0, change) == [
        ("ADDED", "old"),
        ("ADDED", "new"),
        ("MODIFIED", "old"),
        ("DELETED", "new"),
    ]


@given(st.integers(1, 12))
def test_a_watch_from_any_version_misses_nothing_and_repeats_nothing(since):
    store = Store()
    for number in range(10):
        store.create(POD, named(f"p{number}"), "default")
    everything = [("ADDED", f"p{number}") for number in range(10)]
    heard = told(store, Selection(POD, "default"), since, lambda: None)
    assert heard == everything[max(0, since - 2) :]  # two namespaces are there from the start


def test_a_version_of_the_future_is_gone(store):
    with pytest.raises(Refusal, match="too large"):
        store.watch(Selection(POD), store.version + 1, print)


def test_every_kind_is_discovered():
    assert [each["name"] for each in discovery("/api/v1")["resources"]] == [
        "namespaces",
        "pods",
        "configmaps",
    ]
    for group in discovery("/apis")["groups"]:
        assert discovery(f"/apis/{group['name']}")["name"] == group["name"]
        assert discovery(f"/apis/{group['preferredVersion']['groupVersion']}")["resources"]
    assert discovery("/apis/none") is None
    assert discovery("/apis/none/v1") is None


def field(number, value):
    data = value if isinstance(value, bytes) else value.encode()
    size, head = len(data), bytearray([number << 3 | 2])
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*head, size]) + data


def envelope(kind, message):
    return b"k8s\0" + field(1, field(1, "v1") + field(2, kind)) + field(2, message)


@given(st.text(min_size=1), st.dictionaries(st.text(min_size=1, max_size=300), st.text(min_size=1)))
def test_protobuf_objects_are_read(name, data):
    entries = b"".join(field(2, field(1, key) + field(2, value)) for key, value in data.items())
    number = bytes([5 << 3, 0xFF, 1])  # metadata.generation, which nobody here needs
    body = envelope("ConfigMap", field(1, field(1, name) + field(2, "") + number) + entries)
    expected = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    assert protobuf.decode(body) == expected | ({"data": data} if data else {})


@given(st.binary(max_size=60))
def test_other_bytes_are_an_error(data):
    for body in (data, envelope("ConfigMap", data)[:-1], envelope("Pod", data)):
        with pytest.raises(ValueError, match=r".+"):
            protobuf.decode(body)
