"""URLs in expressions, as kube-apiserver has been seen to read them."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koproxy.cel.functions.urls import OVERLOADS, URL
from koproxy.cel.overloads import Functions
from koproxy.cel.values import CelError, GoStrings

FUNCTIONS = Functions(OVERLOADS)
PARTS = ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery")
ODD = st.text(
    st.sampled_from("abhtps019.:/?#[]@%-+_ *&=;~!<>\"'é\u0661\x00\n\x7f{}")
    | st.characters(codec="utf-8")
)
WRITTEN = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "http:", "HTTPS:", "pg:", "1a:"]),
        st.sampled_from(["", "/", "//", "///"]),
        st.sampled_from(["", "u@", "u:p@", "@"]),
        st.sampled_from(["h", "[::1]", "[fe80::1%25e]", "a%e9b", "a:1,b:2", "é"]),
        ODD,
        st.sampled_from(["", "?", "?a=1&a=2"]),
        ODD,
    ),
)


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS.find(name, values).function(*values)


def url(text: str) -> URL:
    found = call("url", text)
    assert isinstance(found, URL)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "a:b",
        "//h/p",
        "http://h/?a=%zz",
        "http://h/ b",
        "http://h:",
        "pg://a:1,b:2/",
        "http://a%25/",
        "http://a%e9/",
        'http://a<b>"c/',
        "http://[::ffff:1.2.3.4]/",
        "http://[fe80::1%25en0]/",
        "http://[fe80::1%25e%20n]/",
        "http://u:p@h/",
        "http://a@b@h/",
        "http:///",
    ],
)
def test_what_is_a_url(text: str) -> None:
    assert call("isURL", text) is True
    url(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":a",
        "1a:b",
        "x",
        "http://h#f",
        "http://h/#%zz",
        "http://h/%zz",
        "http://h/%4",
        "http://a b/",
        "http://h/\n",
        "http://h\x7f/",
        "http://h:x/",
        "http://h:\u0661/",
        "http://a:1:2/",
        "http://a%41/",
        "http://a{/",
        "http://x[::1]/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[1.2.3.4]/",
        "http://[fe80::1%25]/",
        "http://[fe80::1%en0]/",
        "http://[fe80::1%25e%2fn]/",
        "http://é@h/",
        "http://u%zz@h/",
        "http://u p@h/",
    ],
)
def test_what_is_none(text: str) -> None:
    assert call("isURL", text) is False
    with pytest.raises(CelError, match=r"^URL parse error during conversion from string: parse "):
        url(text)


@pytest.mark.parametrize("text", ["http://h/p?q#%zz", "//[", "//a b/"])
def test_that_a_fragment_and_a_host_without_a_scheme_are_looked_at_only_by_reading(
    text: str,
) -> None:
    assert call("isURL", text) is True
    with pytest.raises(CelError):
        url(text)


@pytest.mark.parametrize(
    ("text", "part", "outcome"),
    [
        ("*", "getEscapedPath", "*"),
        ("HTTP://H/", "getScheme", "http"),
        ("HTTP://H/", "getHost", "H"),
        ("/a", "getScheme", ""),
        ("mailto:x@y", "getEscapedPath", ""),
        ("mailto:x@y", "getHost", ""),
        ("//h/p", "getHost", "h"),
        ("//h/p", "getEscapedPath", "/p"),
        ("///h/p", "getHost", ""),
        ("///h/p", "getEscapedPath", "///h/p"),
        ("http:/x", "getHost", ""),
        ("http://u:p@h:80/", "getHost", "h:80"),
        ("http://u:p@h:80/", "getHostname", "h"),
        ("http://u:p@h:80/", "getPort", "80"),
        ("http://[::1]:80/", "getHost", "[::1]:80"),
        ("http://[::1]:80/", "getHostname", "::1"),
        ("http://[::1]:80/", "getPort", "80"),
        ("http://[::1]", "getHostname", "::1"),
        ("http://[::1]", "getPort", ""),
        ("http://[fe80::1%25e%20n]/", "getHost", "[fe80::1%e n]"),
        ("http://h:/", "getHost", "h:"),
        ("http://h:/", "getHostname", "h"),
        ("http://h:/", "getPort", ""),
        ("pg://a:1,b:2/", "getHost", "a:1,b:2"),
        ("pg://a:1,b:2/", "getHostname", "a:1,b"),
        ("pg://a:1,b:2/", "getPort", "2"),
        ("http://é%C3%A9/", "getHost", "éé"),
        ("http://h", "getEscapedPath", ""),
        ("http://h/a%2fb", "getEscapedPath", "/a%2fb"),
        ("http://h/a%2fb c", "getEscapedPath", "/a/b%20c"),
        ("http://h/é", "getEscapedPath", "/%C3%A9"),
        ("http://h/!'()*[]", "getEscapedPath", "/!'()*[]"),
        ("http://h/!'()*[] ", "getEscapedPath", "/%21%27%28%29%2A%5B%5D%20"),
        ("http://h/%41", "getEscapedPath", "/%41"),
        ("http://h/p#f", "getEscapedPath", "/p"),
        ("http://h/p?q#f", "getEscapedPath", "/p"),
    ],
)
def test_the_parts(text: str, part: str, outcome: str) -> None:
    assert call(part, url(text)) == outcome


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("http://a%e2%82b/", "getHost"),
        ("http://a%e2%82b/", "getHostname"),
        ("http://h/?a=%e2%82", "getQuery"),
        ("http://h/?%e9=1", "getQuery"),
    ],
)
def test_a_part_that_is_no_text_is_none(text: str, part: str) -> None:
    with pytest.raises(CelError, match="no UTF-8"):
        call(part, url(text))


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        ("a&=x&b=", {"a": [""], "": ["x"], "b": [""]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("+=%2B+", {" ": ["+ "]}),
        ("%41=1&A=2", {"A": ["1", "2"]}),
        ("a=1;b=2&c=3", {"c": ["3"]}),
        ("a=%zz&b=1&%zz=2", {"b": ["1"]}),
        ("?=1", {"?": ["1"]}),
        ("&".join(["a=1"] * 10_000), {"a": ["1"] * 10_000}),
        ("&".join(["a=1"] * 10_001), {}),
    ],
)
def test_the_query(query: str, outcome: dict[str, list[str]]) -> None:
    found = call("getQuery", url(f"http://h/?{query}"))
    assert found == outcome
    assert all(type(values) is GoStrings for values in found.values())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http:/x", "http:///x", False),
        ("http:", "http://", True),
        ("HTTP://h/", "http://h/", True),
        ("http://H/", "http://h/", False),
        ("http://é/", "http://%C3%A9/", True),
        ("http://%e2/", "http://%e3/", False),
        ("http://h", "http://h/", False),
        ("http://h/x?", "http://h/x", False),
        ("http://h/%41", "http://h/A", False),
        ("http://h/ ", "http://h/%20", True),
        ("http://a@h/", "http://a:@h/", False),
        ("http://a%3Ab@h/", "http://a:b@h/", False),
        ("http://%41@h/", "http://A@h/", True),
        ("http://@h/", "http://h/", False),
        ("//", "//#", True),
        ("/a#", "/a", True),
        ("/a#b", "/a", False),
        ("/a#%41", "/a#A", False),
        ("/a#[", "/a#%5B", False),
        ("/a# b", "/a#%20b", True),
        ("/a?#", "/a", False),
        ("a:b", "a:/b", False),
    ],
)
def test_which_are_the_same(one: str, other: str, same: bool) -> None:
    assert (url(one) == url(other)) is same


@given(ODD | WRITTEN)
@example("http://h/?" + "%zz&" * 20)
def test_any_text_is_read_or_refused(text: str) -> None:
    is_one = call("isURL", text)
    try:
        found = url(text)
    except CelError:
        assert not is_one or "#" in text or text.startswith("//")
        return
    assert is_one
    assert found == url(text)
    for part in PARTS:
        try:
            for each in call(part, found):
                each.encode()
        except CelError:
            if "%" not in text:  # only an escape makes bytes that are no UTF-8
                raise


@given(WRITTEN)
def test_an_escaped_path_stays_as_it_is(text: str) -> None:
    try:
        path = call("getEscapedPath", url(text))
    except CelError:
        return
    if path and path != "*":
        assert call("getEscapedPath", url(f"http://h{path}")) == path
