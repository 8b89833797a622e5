"""The extra fields that the proxy gives to everybody, and the keys that are therefore its own.

Nothing that a token says, or that a client asks for, may stand under one of these keys: whoever
reads them in an API server's log can rely on the proxy having written them. The names are those of
kube-oidc-proxy, in lower case, as an API server reads them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from koproxy.errors import ConfigurationError
from koproxy.identity.user import Extra, Identity

CLIENT_IP = "remote-client-ip"
"""The key of the address that a request came from."""

_ORIGINAL = "originaluser.jetstack.io-"
_ORIGINAL_PARTS = ("user", "groups", "uid", "extra")
# What Go's JSON writes of these, so that a log has the same text whoever wrote it.
_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Added:
    """What is added to every identity that the proxy impersonates.

    ``extra`` are fields with fixed values. ``client_ip``: each request has the client's address
    besides. ``original``: who takes on another identity is named in fields of their own.
    """

    extra: Extra = ()
    client_ip: bool = False
    original: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all these fields, each once."""
        return (
            *(key for key, _ in self.extra),
            *((CLIENT_IP,) if self.client_ip else ()),
            *((_ORIGINAL + part for part in _ORIGINAL_PARTS) if self.original else ()),
        )

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys that nobody else may give."""
        return frozenset(self.keys)

    def with_original(self, original: Identity) -> "Added":
        """Add who takes on another identity, and what of theirs there is."""
        fields: dict[str, tuple[str, ...]] = {
            "user": (original.username,),
            "groups": original.groups,
            "uid": (original.uid,) if original.uid else (),
            "extra": (_json(original.extra),) if original.extra else (),
        }
        written = tuple((_ORIGINAL + part, values) for part, values in fields.items() if values)
        return Added(self.extra + written, self.client_ip, self.original)


NOTHING = Added()


def fixed_fields(pairs: Iterable[str]) -> Extra:
    """Read ``KEY=VALUE`` each; a key may come again, and then has several values.

    Keys are put in lower case. Raises ConfigurationError.
    """
    fields: dict[str, list[str]] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigurationError(
                f"--extra-user-headers has {pair!r}, which is no KEY=VALUE: write key1=foo,key2=bar"
            )
        fields.setdefault(key.lower(), []).append(value)
    for key in fields:
        if key == CLIENT_IP or key.startswith(_ORIGINAL):
            raise ConfigurationError(
                f"--extra-user-headers has {key!r}, a key that the proxy gives a value of its own: "
                "choose another one"
            )
    return tuple((key, tuple(values)) for key, values in fields.items())


def _json(extra: Extra) -> str:
    text = json.dumps(dict(extra), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate(_ESCAPED)
