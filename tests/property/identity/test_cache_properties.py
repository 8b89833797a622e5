"""The cache against the simplest model of it: a dict that forgets nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from koproxy.identity.cache import VerifiedCache
from koproxy.identity.decision import Verified
from koproxy.identity.user import Identity

KEYS = st.integers(0, 4).map(lambda number: b"%d" % number)
MAX_ENTRIES = 4


class CacheMachine(RuleBasedStateMachine):
    """Time goes on and goes back, outcomes are put and looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = VerifiedCache(max_entries=MAX_ENTRIES, max_bytes=20_000)
        self.model: dict[bytes, Verified] = {}

    @rule(key=KEYS, expires=st.integers(0, 10), size=st.sampled_from([1, 1000, 3000, 20_000]))
    def put(self, key: bytes, expires: int, size: int) -> None:
        self.model[key] = Verified(b"x" * size, Identity("jane"), expires)
        self.cache.put(key, self.model[key])

    @rule(key=KEYS, now=st.integers(0, 11))
    def get(self, key: bytes, now: int) -> None:
        found = self.cache.get(key, now)
        if found is not None:
            assert found is self.model[key]
            assert now <= found.expires

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.model.clear()

    @invariant()
    def is_bounded(self) -> None:
        assert len(self.cache) <= MAX_ENTRIES


CacheMachine.TestCase.settings = settings(max_examples=300, deadline=None)
TestCache = CacheMachine.TestCase
