"""The keys of one issuer through its life: those that sign, those published, and a stranger's.

Pure but for the making of keys. It neither serves nor signs anything.
"""

from __future__ import annotations

import threading
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
        self._stranger: KeySet | None = None

    def key(self, alg: str) -> SigningKey:
        """Give the key that signs with `alg` now; raises `HarnessError` for an unknown one."""
        with self._lock:
            return self._keys().key(alg)

    def stranger(self, alg: str) -> SigningKey:
        """Give a key that is never published."""
        with self._lock:
            if self._stranger is None:
                self._stranger = self._new()
            return self._stranger.key(alg)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set document: what is published (RFC 7517 section 5)."""
        with self._lock:
            published = self._older if self._withdrawn else [self._keys(), *self._older]
        return {"keys": [jwk for keys in published for jwk in keys.jwks]}

    def rotate(self, keep_old: bool) -> None:
        """Sign with new keys; `keep_old` publishes the old ones still."""
        with self._lock:
            self._older = [self._keys(), *self._older] if keep_old else []
            self._current = self._new()
            self._withdrawn = False

    def withdraw(self) -> None:
        """Publish no key, old or new, until `rotate`."""
        with self._lock:
            self._older = []
            self._withdrawn = True

    def close(self) -> None:
        """Leave the key pairs to other issuers of the process."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
            for pair in pairs:
                POOL.give_back(pair)
            self._current = self._stranger = None
            self._older = []

    def _keys(self) -> KeySet:
        if self._current is None:
            self._current = self._new()
        return self._current

    def _new(self) -> KeySet:
        pairs = POOL.take()
        self._pairs.append(pairs)
        return KeySet(pairs)
