"""The keys of one issuer through its life: those that sign, those published, and a stranger's.

Pure but for the making of keys. It neither serves nor signs anything.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from koproxy_harness.issuer.keys import POOL, KeyPairs, KeySet, SigningKey


class Keyring:
    """The generations of an issuer's keys; the first is made when it is asked for.

    A test's threads sign while the reactor's publishes, so everything happens one after another.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pairs: list[KeyPairs] = []
        self._current: KeySet | None = None
        self._older: list[KeySet] = []
        self._withdrawn = False

    def key(self, alg: str) -> SigningKey:
        """Give the key that signs with `alg` now; raises `HarnessError` for an unknown one."""
        with self._lock:
            return self._keys().key(alg)

    def stranger(self, alg: str) -> SigningKey:
        """Give a key that no issuer of this process ever publishes."""
        return _stranger().key(alg)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set document: what is published (RFC 7517 section 5)."""
        with self._lock:
            published = self._published()
        return {"keys": [jwk for keys in published for jwk in keys.jwks]}

    def rotate(self, keep_old: bool) -> None:
        """Sign with new keys; `keep_old` publishes still what is published now."""
        with self._lock:
            self._older = self._published() if keep_old else []
            self._current = self._new()
            self._withdrawn = False

    def withdraw(self) -> None:
        """Publish no key, old or new, until `rotate`."""
        with self._lock:
            self._older = []
            self._withdrawn = True

    def close(self) -> None:
        """Leave the key pairs to other issuers of the process; `jwks` stays as it is."""
        with self._lock:
            self._older = self._published() if self._current else []
            self._withdrawn = True
            pairs, self._pairs = self._pairs, []
            for pair in pairs:
                POOL.give_back(pair)

    def _published(self) -> list[KeySet]:
        return self._older if self._withdrawn else [self._keys(), *self._older]

    def _keys(self) -> KeySet:
        if self._current is None:
            self._current = self._new()
        return self._current

    def _new(self) -> KeySet:
        pairs = POOL.take()
        self._pairs.append(pairs)
        return KeySet(pairs)


@cache
def _stranger() -> KeySet:
    # Apart from the pool, whose keys a later issuer publishes. Threads that ask for the first time
    # at once may get one each: it is nobody's in any case.
    return KeySet()
