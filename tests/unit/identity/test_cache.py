"""The cache of verified tokens."""

from support.signer import NOW

from koproxy.identity.cache import VerifiedCache
from koproxy.identity.decision import Verified
from koproxy.identity.user import Identity


def verified(expires: float = NOW + 60, size: int = 10) -> Verified:
    return Verified(b"x" * size, Identity("jane"), expires)


def test_an_outcome_is_found_up_to_its_last_second() -> None:
    cache = VerifiedCache()
    jane = verified(NOW)
    cache.put(b"jane", jane)
    assert cache.get(b"jane", NOW) is jane
    assert cache.get(b"jane", NOW + 0.001) is None
    assert cache.get(b"bob", NOW) is None


def test_an_outcome_of_the_old_generation_expires_too() -> None:
    cache = VerifiedCache(max_entries=2)
    cache.put(b"jane", verified(NOW))
    cache.put(b"bob", verified())
    assert cache.get(b"jane", NOW + 1) is None


def test_what_is_used_stays_and_what_is_not_goes() -> None:
    cache = VerifiedCache(max_entries=100)
    cache.put(b"jane", verified())
    cache.put(b"bob", verified())
    for number in range(1000):
        cache.put(b"%d" % number, verified())
        assert cache.get(b"jane", NOW) is not None
        assert len(cache) <= 100
    assert cache.get(b"bob", NOW) is None


def test_the_space_is_bounded_by_bytes() -> None:
    cache = VerifiedCache(max_bytes=100_000)
    for number in range(100):
        cache.put(b"%d" % number, verified(size=5000))
    assert 0 < len(cache) <= 10
    cache.put(b"jane", verified(size=100_000))
    assert cache.get(b"jane", NOW) is None


def test_an_outcome_that_is_put_again_takes_no_more_space() -> None:
    cache = VerifiedCache(max_bytes=100_000)
    cache.put(b"bob", verified())
    for _ in range(1000):
        jane = verified(size=1000)
        cache.put(b"jane", jane)
    assert cache.get(b"jane", NOW) is jane
    assert cache.get(b"bob", NOW) is not None
    assert len(cache) == 2


def test_everything_can_be_forgotten() -> None:
    cache = VerifiedCache(max_entries=2)
    cache.put(b"jane", verified())
    cache.put(b"bob", verified())
    cache.clear()
    assert len(cache) == 0
    assert cache.get(b"jane", NOW) is None
