"""The token among a WebSocket's subprotocols, read a second time, by kube-apiserver's rule."""

import base64

from fuzz.plain_grammar import need

MARK = b"base64url.bearer.authorization.k8s.io."
LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def offered(values: list[bytes], authorization: bytes) -> tuple[bytes, list[bytes] | None]:
    """(the credential that counts, the names that are left; None: the lines pass as they came)"""
    names: list[bytes] = []
    tokens: list[bytes] = []
    touched = False
    for value in values:
        for entry in value.split(b","):
            name = entry.strip(b" \t")
            if name.startswith(MARK):
                tokens.append(name[len(MARK) :])
            if MARK in name.lower():
                touched = True
            else:
                names.append(name)
    if tokens and not authorization:
        need(len(tokens) == 1 and bool(names), "not one token beside a name")
        authorization = b"Bearer " + _decoded(tokens[0])
    return authorization, names if touched else None


def _decoded(text: bytes) -> bytes:
    need(all(byte in LETTERS or byte in b"-_" for byte in text), "not base64url")
    need(len(text) % 4 != 1, "not base64url")
    token = base64.urlsafe_b64decode(text + b"==")
    bare = token.rstrip(b"=")
    need(bool(bare) and all(byte in LETTERS or byte in b"-._~+/" for byte in bare), "no token")
    return token
