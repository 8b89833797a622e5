"""Objects in memory: what is there, what was, and who is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube import store as module
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Event, Store
from koproxy_harness.kube.verbs import deleting
from koproxy_harness.kube.verbs.lists import page

THINGS, OTHERS = ("", "things"), ("x.io", "others")
KIND = Kind("", "v1", "things", "Thing", True)
NOW = "2026-01-01T00:00:00Z"

# A change: which resource, where, and whether it is put there or taken away.
changes = st.lists(
    st.tuples(
        st.sampled_from([THINGS, THINGS, OTHERS]),
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from("xyz")),
        st.booleans(),
    ),
    max_size=25,
)


def thing(place: tuple[str, str], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": place[1], "namespace": place[0], "uid": f"u-{place}", **metadata}}


def play(store: Store, script: list[Any]) -> list[tuple[int, dict[Any, Any]]]:
    """Do what the script says; gives what THINGS were there at each version."""
    past = [(store.version, {})]
    there: dict[Any, Any] = {}
    for number, (resource, place, keep) in enumerate(script):
        if keep:
            made = store.put(resource, place, thing(place, labels={"n": str(number)}))
            if resource == THINGS:
                there = {**there, place: made}
        elif store.find(*resource, *place) is not None:
            store.remove(resource, place)
            if resource == THINGS:
                there = {key: each for key, each in there.items() if key != place}
        past.append((store.version, there))
    return past


@given(changes)
def test_it_can_be_seen_as_it_was(script: list[Any]) -> None:
    store = Store()
    for version, there in play(store, script):
        assert store.at(THINGS, version) == sorted(there.items())


@given(changes)
def test_who_watches_from_any_version_sees_exactly_what_came_after(script: list[Any]) -> None:
    store = Store()
    heard: list[Event] = []
    store.listen(heard.append)
    past = play(store, script)
    for version, there in past:
        seen = dict(there)
        for event in store.since(THINGS, version):
            assert event in heard
            assert event.before == seen.get(event.place)
            if event.type == "DELETED":
                del seen[event.place]
            else:
                assert event.type == ("MODIFIED" if event.place in seen else "ADDED")
                seen[event.place] = event.object
        assert seen == past[-1][1]
    versions = [event.version for event in heard]
    assert versions == sorted(set(versions))


@given(changes, st.integers(1, 4), st.data())
def test_pages_are_of_one_moment(script: list[Any], limit: int, data: st.DataObject) -> None:
    store = Store()
    play(store, script)
    whole = [each for _, each in store.at(THINGS, store.version)]
    version, found, token = str(store.version), [], ""
    while True:
        query = {"limit": str(limit), "continue": token}
        items, metadata = page(store, THINGS, "", query, lambda _: True)
        found += items
        assert metadata["resourceVersion"] == version
        assert metadata.get("remainingItemCount", 0) == len(whole) - len(found)
        token = metadata.get("continue", "")
        if not token:
            break
        play(store, data.draw(changes))
    assert found == whole


def test_the_past_ends_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HISTORY", 3)
    store = Store()
    for number in range(5):
        store.put(THINGS, ("a", str(number)), thing(("a", str(number))))
    assert [event.object["metadata"]["name"] for event in store.since(THINGS, 3)] == ["2", "3", "4"]
    with pytest.raises(Refusal, match=r"too old resource version: 2 \(3\)") as old:
        store.since(THINGS, 2)
    assert (old.value.code, old.value.reason) == (410, "Expired")
    with pytest.raises(Refusal, match="Too large resource version: 7, current: 6") as new:
        store.since(THINGS, 7)
    assert new.value.code == 504


def test_who_has_stopped_listening_hears_no_more() -> None:
    store, heard = Store(), []
    stop = store.listen(heard.append)
    store.put(THINGS, ("a", "x"), thing(("a", "x")))
    stop()
    store.put(THINGS, ("a", "y"), thing(("a", "y")))
    assert len(heard) == 1


def test_an_object_with_finalizers_is_marked_first() -> None:
    store, place = Store(), ("a", "x")
    store.put(THINGS, place, thing(place, finalizers=["mine"]))
    marked, gone = deleting.delete(store, THINGS, place, NOW)
    assert not gone
    assert marked["metadata"]["deletionTimestamp"] == NOW
    again, _ = deleting.delete(store, THINGS, place, "later")
    assert again == marked


@pytest.mark.parametrize("orphan", [False, True])
def test_what_depends_on_an_object_goes_with_it(orphan: bool) -> None:
    store = Store()
    for child, owners in (("b", "a"), ("c", "b"), ("d", "az")):
        references = [{"uid": f"u-{('n', owner)}"} for owner in owners]
        store.put(OTHERS, ("n", child), thing(("n", child), ownerReferences=references))
    for owner in "az":
        store.put(THINGS, ("n", owner), thing(("n", owner)))
    owner = store.find(*THINGS, "n", "a")
    child = store.find(*OTHERS, "n", "b")
    assert owner is not None
    assert child is not None
    deleting.delete(store, THINGS, ("n", "a"), NOW, orphan=orphan)
    left = {name: store.find(*OTHERS, "n", name) for name in "bcd"}
    if orphan:
        assert left["b"] is not None
        assert "ownerReferences" not in left["b"]["metadata"]
    else:
        assert left["b"] is None
    assert left["d"] is not None
    assert left["d"]["metadata"]["ownerReferences"] == [{"uid": f"u-{('n', 'z')}"}]


def test_a_namespace_takes_with_it_what_is_in_it() -> None:
    store, namespaces = Store(), ("", "namespaces")
    store.put(namespaces, ("", "a"), {"metadata": {"name": "a", "uid": "1"}})
    for place in (("a", "x"), ("b", "y")):
        store.put(THINGS, place, thing(place))
    deleting.delete(store, namespaces, ("", "a"), NOW)
    assert [place for place, _ in store.at(THINGS, store.version)] == [("b", "y")]
