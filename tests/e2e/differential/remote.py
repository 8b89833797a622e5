"""What an issuer publishes, and claims that it has elsewhere, in every odd form."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from e2e.differential.cases import Case, World, bearer
from e2e.differential.settings import AUDIENCE, Settings
from koproxy_harness import SigningKey


@dataclass(frozen=True)
class KeySetCase:
    """A document that an issuer publishes as its key set, and a header to verify with it."""

    name: str
    document: Any
    authorization: bytes


class _Plain(BaseHTTPRequestHandler):
    """Answers every GET with one token."""

    token = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.token)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def plain_endpoint(token: str) -> Iterator[str]:
    """An http endpoint, without TLS, that answers with a token; gives its URL."""
    handler = type("Handler", (_Plain,), {"token": token.encode()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def distributed_cases(world: World) -> Iterator[Case]:
    """Groups that stand behind an endpoint; each case has to be asked before the next is taken."""
    settings, foreign = world["all"], world["sub"]
    issuer = settings.issuer

    def case(name: str, endpoint: object, **changes: object) -> Case:
        source = {"endpoint": endpoint, "access_token": "opener"}
        claims = settings.claims(
            groups=None,
            _claim_names={"groups": "src"},
            _claim_sources={"src": source},
        )
        return Case(f"groups elsewhere: {name}", "all", bearer(issuer.sign({**claims, **changes})))

    def serve(by: Settings = settings, **token: object) -> str:
        return by.issuer.claims_endpoint("opener", aud=AUDIENCE, **token)

    good = serve(groups=["far", "away"])
    yield case("as they should be", good)
    yield case("a string", serve(groups="far"))
    yield case("null", serve(groups=None, **{"groups ": 1}))
    yield case("a list of null", serve(groups=[None]))
    yield case("numbers", serve(groups=[1]))
    yield case("signed by another issuer", serve(foreign, groups=["far"]))
    yield case("without the claim", serve(groups=None))
    for wrong in ("expired", "not-yet-valid", "unknown-key", "alg-none", "tampered-payload"):
        yield case(wrong, serve(groups=["far"], wrong=wrong))
    yield case("for somebody else", issuer.claims_endpoint("opener", aud="other", groups=["far"]))
    yield case("another access token", issuer.claims_endpoint("closed", groups=["far"]))
    yield case("an endpoint that is not there", f"{issuer.url}/nothing")
    yield case("an endpoint that is no URL", "nothing")
    yield case("an endpoint that is no string", 1)
    yield case("an empty endpoint", "")
    yield case("no endpoint", None)
    with plain_endpoint(issuer.token(groups=["far"])) as http:
        yield case("an http endpoint", http)
    yield case("groups here as well", good, groups=["near"])
    yield case("groups here are null", good, groups=None)
    yield case("no sources", good, _claim_sources=None)
    yield case("no such source", good, _claim_names={"groups": "other"})
    yield case("an empty source", good, _claim_names={"groups": ""})
    yield case("no names", good, _claim_names={})
    yield case("names that are no object", good, _claim_names=["groups"])
    yield case("the names of other claims", good, _claim_names={"Groups": "src"})
    aggregated = {"src": {"JWT": issuer.sign(settings.claims())}}
    yield case("aggregated", good, _claim_sources=aggregated)
    yield case("aggregated badly", good, _claim_sources={"src": {"JWT": 1}})
    both = {"src": {"endpoint": good, "access_token": "opener"}, "other": {"endpoint": ""}}
    yield case("a source to spare", good, _claim_sources=both)
    yield case("a source in another case", good, _claim_sources={"SRC": both["src"]})
    upper = {"src": {"ENDPOINT": good, "Access_Token": "opener"}}
    yield case("a source written in capitals", good, _claim_sources=upper)
    without = {"src": {"endpoint": good}}
    yield case("no access token", good, _claim_sources=without)
    members = {"_claim_names": {"groups": "src"}, "_claim_sources": both}
    claims = foreign.claims(groups=None, **members)
    yield Case("groups elsewhere: nobody asks", "sub", bearer(foreign.issuer.sign(claims)))
    claims = foreign.claims(groups=None, _claim_names={"groups": "none"})
    yield Case(
        "groups elsewhere: nobody asks, no source", "sub", bearer(foreign.issuer.sign(claims))
    )


def key_set_cases(settings: Settings) -> Iterator[KeySetCase]:
    """Key sets, each with a token by a key that no set had before."""
    number = 0

    def fresh(alg: str = "RS256", private: Any = None) -> SigningKey:
        nonlocal number
        number += 1
        return SigningKey(f"fresh-{number}", alg, private or settings.issuer.key(alg).private)

    def case(name: str, document: Any, key: SigningKey, **header: object) -> KeySetCase:
        token = settings.issuer.sign(settings.claims(), header, key.alg, key)
        return KeySetCase(f"key set: {name}", document, bearer(token))

    def changed(name: str, by: str = "RS256", private: Any = None, **jwk: object) -> KeySetCase:
        key = fresh(by, private)
        members = {each: value for each, value in {**key.jwk, **jwk}.items() if value is not ...}
        return case(name, {"keys": [members]}, key)

    yield changed("as it should be")
    for use in (..., None, "enc", "x", 1):
        yield changed(f"use {use}", use=use)
    for alg in (..., None, "RS512", "ES256", "x", 1):
        yield changed(f"alg {alg}", alg=alg)
    for kid in (..., None, "", 1, "other"):
        yield changed(f"kid {kid}", kid=kid)
    for kty in (..., None, "rsa", "EC", "oct", "X"):
        yield changed(f"kty {kty}", kty=kty)
    yield changed("key_ops", key_ops=["sign"])
    yield changed("a member that nobody knows", other=[{"a": 1}])
    jwk = settings.issuer.key().jwk
    for name in ("n", "e"):
        for value in (..., None, "", 1, jwk[name] + "=", "+/", "A", "AA", "AQ"):
            yield changed(f"{name} {str(value)[:20]}", **{name: value})
    yield changed("zeros before e", e="AAEAAQ")
    yield changed("e is 3", private=rsa.generate_private_key(3, 2048))
    for size in (1024, 3072):
        yield changed(f"RSA of {size} bits", private=rsa.generate_private_key(65537, size))
    for alg in ("ES256", "ES384", "ES512"):
        point = settings.issuer.key(alg).jwk
        yield changed(alg, alg)
        yield changed(f"{alg} with a wrong curve", alg, crv="P-256" if alg != "ES256" else "P-384")
        for name in ("x", "y"):
            for value in (
                ...,
                None,
                "",
                "A" + point[name],
                point[name][:-2],
                "A" * len(point[name]),
            ):
                yield changed(f"{alg} {name} {str(value)[:9]}", alg, **{name: value})
    yield changed("secp256k1", "ES256", ec.generate_private_key(ec.SECP256R1()), crv="secp256k1")

    key = fresh()
    for name, document in (
        ("empty", {"keys": []}),
        ("null", {"keys": None}),
        ("no keys", {}),
        ("an object", {"keys": {"a": key.jwk}}),
        ("a list", [key.jwk]),
        ("a key alone", key.jwk),
        ("capitals", {"KEYS": [key.jwk]}),
        ("more members", {"x": 1, "keys": [key.jwk]}),
        ("a null beside it", {"keys": [None, key.jwk]}),
        ("a number beside it", {"keys": [1, key.jwk]}),
        ("twice", {"keys": [key.jwk, key.jwk]}),
    ):
        yield case(name, document, key)
        key = fresh()
    for name, beside in (
        ("oct", {"kty": "oct", "k": "AAAA"}),
        ("Ed25519", settings.issuer.key("EdDSA").jwk),
        ("X25519", {"kty": "OKP", "crv": "X25519", "x": "A" * 43}),
        ("a kind to come", {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"}),
        ("secp256k1", {"kty": "EC", "crv": "secp256k1", "x": "A" * 43, "y": "A" * 43}),
        ("a broken one", {"kty": "RSA", "n": "AAAA"}),
        ("a small one", {"kty": "RSA", "n": "wwww", "e": "AQAB"}),
        ("nothing", {}),
        ("an x5u", {**jwk, "x5u": "https://example.com"}),
        ("an x5c that is not one", {**jwk, "x5c": ["AAAA"]}),
        ("an x5t that is not one", {**jwk, "x5t": "AAAA"}),
    ):
        key = fresh()
        yield case(f"{name} beside it", {"keys": [beside, key.jwk]}, key)
    key, other = fresh(), fresh("ES256")
    both = {"keys": [other.jwk, key.jwk]}
    yield case("two, no kid in the token", both, key, kid=None)
    yield case("two, an empty kid in the token", both, key, kid="")
    yield case("two, the other's kid", both, key, kid=other.kid)
    same = {"keys": [{**other.jwk, "kid": key.kid}, key.jwk]}
    yield case("two of one name", same, key)
    stranger = settings.issuer.sign(settings.claims(), {"kid": key.kid}, "ES384")
    yield KeySetCase("key set: a known kid, another key", both, bearer(stranger))
    text = json.dumps({"keys": [key.jwk]})
    key = fresh()
    twice = json.dumps(key.jwk)[:-1] + ',"kty":"RSA"}'
    yield case("a member twice", f'{{"keys":[{twice}]}}'.encode(), key)
    key = fresh()
    whole = json.dumps({"keys": [key.jwk]})
    yield case("a list twice", (whole[:-1] + ',"keys":[]}').encode(), key)
    key = fresh()
    whole = json.dumps({"keys": [key.jwk]})
    yield case("more after it", (whole + "x").encode(), key)
    yield case("not JSON", text.encode()[:-1], fresh())
