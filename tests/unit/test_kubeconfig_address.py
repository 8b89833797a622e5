"""The API server's URL: only https, with a path as a prefix."""

import pytest

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.address import parse_server


@pytest.mark.parametrize(
    ("url", "host", "port", "prefix", "authority"),
    [
        ("https://a.example", "a.example", 443, b"", "a.example:443"),
        ("https://a.example/", "a.example", 443, b"", "a.example:443"),
        ("HTTPS://A.example:6443", "a.example", 6443, b"", "a.example:6443"),
        ("https://10.0.0.1:6443", "10.0.0.1", 6443, b"", "10.0.0.1:6443"),
        ("https://[::1]:6443", "::1", 6443, b"", "[::1]:6443"),
        ("https://a/k8s/clusters/c-1/", "a", 443, b"/k8s/clusters/c-1", "a:443"),
        ("https://a/x%20y?q=1#f", "a", 443, b"/x%20y", "a:443"),
    ],
)
def test_taken_apart(url: str, host: str, port: int, prefix: bytes, authority: str) -> None:
    server = parse_server(url, "here")
    assert (server.host, server.port, server.path_prefix) == (host, port, prefix)
    assert server.authority == authority
    assert server.tls_name == host


def test_tls_name_is_apart_from_the_host() -> None:
    assert parse_server("https://10.0.0.1", "here", "kubernetes").tls_name == "kubernetes"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://a",
        "a",
        "a:6443",
        "https://",
        "https://:6443",
        "https://a:0",
        "https://a:99999",
        "https://a:x",
        "https://[::1",
        "https://[zz]",
        "https://a b",
        "https://a\r\nX: y",
        "https://a/\tb",
        "https://ä.example",
        "https://u:p@a",
        "https://u@a",
        "https://a//b",
        "https://a/b/../c",
        "https://a/./b",
        'https://a/"',
        "https://a/%zz",
        "ftp://a",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^here "):
        parse_server(url, "here")
