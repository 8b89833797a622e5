"""Which certificate a name gets: as k8s.io/apiserver and Go's crypto/tls choose one."""

import pytest
import trustme
from cryptography import x509

from koproxy.errors import ConfigurationError
from koproxy.serving.names import NamedPair, ServerNames, certificate_names, read_named_pair

AUTHORITY = trustme.CA()


def certificate(*names: str, common_name: str | None = None) -> x509.Certificate:
    issued = AUTHORITY.issue_cert(*names, common_name=common_name)
    return x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        ("c.crt,k.key", NamedPair("c.crt", "k.key")),
        (" c.crt , k.key ", NamedPair("c.crt", "k.key")),
        ("c,k:a.example", NamedPair("c", "k", ("a.example",))),
        ("c,k: *.A.example , ::1", NamedPair("c", "k", ("*.a.example", "::1"))),
    ],
)
def test_a_value_is_read(value: str, pair: NamedPair) -> None:
    assert read_named_pair(value) == pair


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "--tls-sni-cert-key  is not two files"),
        ("c", "--tls-sni-cert-key c is not two files"),
        ("c,", "--tls-sni-cert-key c, is not two files"),
        (",k", "--tls-sni-cert-key ,k is not two files"),
        ("c,k,x", "--tls-sni-cert-key c,k,x is not two files"),
        ("c:k,x", "--tls-sni-cert-key c:k,x is not two files"),
        ("c,k:", "--tls-sni-cert-key c,k: has an empty name"),
        ("c,k:a,,b", "--tls-sni-cert-key c,k:a,,b has an empty name"),
    ],
)
def test_a_value_that_can_not_work(value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_named_pair(value)
    assert sentence in str(caught.value)


DEFAULT = certificate("default.example", "*.both.example")
ROW: list[tuple[tuple[str, ...], x509.Certificate]] = [
    ((), DEFAULT),
    ((), certificate("own.example", "*.own.example", "asked.example", common_name="common")),
    (("asked.example", "*.wild.example", "192.0.2.1", "::1"), certificate("aside.example")),
    ((), certificate("own.example", "later.example", "*.wild.example")),
    (("asked.example", "x.wild.example", "*"), certificate("aside.example", "x.both.example")),
]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("default.example", 0),
        ("nobody.example", 0),
        ("own.example", 1),  # the first of equals
        ("OWN.example", 1),
        ("a.own.example", 1),
        ("b.a.own.example", 0),  # a wildcard is one label
        ("common", 1),  # the common name counts, as long as it is a host's
        ("asked.example", 2),  # the flag goes before a certificate's own names, the first one first
        ("a.wild.example", 2),
        ("x.wild.example", 4),  # a whole name goes before a wildcard
        ("later.example", 3),
        ("single", 4),  # a wildcard alone is for names of one label
        ("aside.example", 2),  # nobody was named for it, but its certificate would do
        ("x.both.example", 0),  # so would the first, which goes before
        ("192.0.2.1", 2),
        ("a..own.example", 0),
        (".own.example", 1),
    ],
)
def test_who_asks_for_a_name(name: str, place: int) -> None:
    names = ServerNames([given for given, _ in ROW], [each for _, each in ROW])
    assert names.find(name) == place


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", 2),
        ("::ffff:192.0.2.1", 2),
        ("::1", 2),
        ("192.0.2.2", 0),
        ("nothing", 0),
    ],
)
def test_who_asks_for_none_is_known_by_where_it_came_to(address: str, place: int) -> None:
    names = ServerNames([given for given, _ in ROW], [each for _, each in ROW])
    assert names.by_address
    assert names.find_address(address) == place


def test_addresses_matter_only_where_the_flag_gives_some() -> None:
    names = ServerNames([(), ("a.example",)], [DEFAULT, certificate("127.0.0.1")])
    assert not names.by_address


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        ("*", ["*"]),
        ("*.a.example", ["*.a.example"]),
        ("a-b.example", ["a-b.example"]),
        ("127.0.0.1", []),
        ("Jane Doe", []),
        ("A.example", []),
        ("a..example", []),
        ("-a.example", []),
        ("a-.example", []),
        (".".join(["a" * 60] * 5)[:64], [".".join(["a" * 60] * 5)[:64]]),
    ],
)
def test_a_common_name_is_a_name_if_it_is_a_hosts(common_name: str, names: list[str]) -> None:
    assert certificate_names(certificate("san.example", common_name=common_name)) == [
        *names,
        "san.example",
    ]
