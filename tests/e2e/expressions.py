"""Any expressions over claims or a user, most of them well typed, and any claims for them."""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import strategies as st

TEXTS = ["", "a", "b", "abc", "a,b", "é😀", "A-1", "10.0.0.1", "1.5", "system:x", "https://h.io/p"]
_FIELDS = ["sub", "email", "groups", "roles", "n", "ok", "nested", "nope", "nul", "list", "deep"]
_USER_TEXTS = ["user.username", "user.uid", "user.groups[0]", "user.extra['example.org/k'][0]"]

Text = st.SearchStrategy[str]


def expressions(kind: str) -> Text:
    """Expressions that give groups (``texts``), a ``bool``, or a rule about the ``user``."""
    over_user = kind == "user"
    bools = _level("bool", over_user)
    if kind != "texts":
        return bools
    return st.one_of(_level("text", over_user), _level("list", over_user), _level("any", over_user))


def claims() -> st.SearchStrategy[dict[str, Any]]:
    """Claims of which any may be missing, or of another type than expressions expect."""
    texts = st.sampled_from(TEXTS)
    plain: st.SearchStrategy[Any] = st.one_of(
        texts, st.booleans(), st.none(), st.sampled_from([0, 1, -1.5, 2**63, 1e300])
    )
    anything = st.one_of(
        plain,
        st.lists(st.one_of(texts, plain), max_size=4),
        st.dictionaries(st.sampled_from(["a", "b", "x.y", "x-y"]), plain, max_size=3),
    )
    usual: dict[str, st.SearchStrategy[Any]] = {
        "sub": texts,
        "email": texts,
        "roles": texts,
        "groups": st.lists(texts, max_size=4),
        "list": st.lists(st.one_of(texts, st.just(1), st.none()), max_size=3),
        "n": st.sampled_from([0, 1, 2.5, -3]),
        "ok": st.booleans(),
        "nested": st.fixed_dictionaries({"a": texts, "x.y": texts}),
        "deep": st.fixed_dictionaries({"a": st.fixed_dictionaries({"b": st.lists(texts)})}),
        "uid": texts,
        "extra": st.lists(texts, max_size=3),
    }
    return st.tuples(
        st.fixed_dictionaries({}, optional=usual),
        st.dictionaries(st.sampled_from(_FIELDS), anything, max_size=2),
    ).map(lambda pair: {**pair[0], **pair[1]})


def _quoted(text: str) -> str:
    return f"'{text}'"


def _claim(field: str) -> str:
    return f"claims.{field}"


_TEMPLATES: dict[str, list[tuple[str, list[str]]]] = {
    "text": [
        ("{0} + {1}", ["text", "text"]),
        ("({0} ? {1} : {2})", ["bool", "text", "text"]),
        ("string({0})", ["any"]),
        ("{0}.lowerAscii()", ["text"]),
        ("{0}.replace({1}, {2})", ["text", "text", "text"]),
        ("{0}.substring(0, 1)", ["text"]),
        ("{0}.charAt(0)", ["text"]),
        ("{0}.trim()", ["text"]),
        ("{0}.join(',')", ["list"]),
        ("'%s|%s'.format([{0}, {1}])", ["text", "list"]),
        ("'%d'.format([{0}])", ["number"]),
        ("{0}.orValue({1})", ["optional", "text"]),
        ("{0}[0]", ["list"]),
        ("{0}.find('[a-c]+')", ["text"]),
        ("strings.quote({0})", ["text"]),
        ("string(ip({0}))", ["text"]),
        ("url({0}).getHost()", ["text"]),
        ("dyn({0})", ["text"]),
    ],
    "list": [
        ("[{0}, {1}]", ["text", "text"]),
        ("{0} + {1}", ["list", "list"]),
        ("{0}.split(',')", ["text"]),
        ("{0}.split(',').map(x, x)", ["text"]),
        ("{0}.map(x, 'p:' + x)", ["list"]),
        ("{0}.filter(x, x != {1})", ["list", "text"]),
        ("dyn({0}).map(x, string(x))", ["any"]),
        ("dyn({0}).filter(x, type(x) == string)", ["any"]),
        ("{0}.sort()", ["list"]),
        ("{0}.distinct()", ["list"]),
        ("{0}.reverse()", ["list"]),
        ("{0}.slice(0, 1)", ["list"]),
        ("[{0}, ?optional.of({1})]", ["text", "text"]),
        ("({0} ? {1} : {2})", ["bool", "list", "list"]),
        ("{0}.findAll('[a-c]')", ["text"]),
    ],
    "bool": [
        ("{0} == {1}", ["any", "any"]),
        ("{0} == {1}", ["text", "text"]),
        ("{0} != {1}", ["list", "list"]),
        ("{0} < {1}", ["text", "text"]),
        ("{0} <= {1}", ["number", "number"]),
        ("{0} && {1}", ["bool", "bool"]),
        ("{0} || {1}", ["bool", "bool"]),
        ("!({0})", ["bool"]),
        ("{0} in {1}", ["text", "list"]),
        ("{0}.all(x, x != {1})", ["list", "text"]),
        ("{0}.exists(x, x.startsWith({1}))", ["list", "text"]),
        ("{0}.exists_one(x, x == {1})", ["list", "text"]),
        ("{0}.startsWith({1})", ["text", "text"]),
        ("{0}.contains({1})", ["text", "text"]),
        ("{0}.matches('^[a-z]*$')", ["text"]),
        ("{0}.matches({1})", ["text", "text"]),
        ("{0}.hasValue()", ["optional"]),
        ("{0} == {1}", ["optional", "optional"]),
        ("sets.intersects({0}, {1})", ["list", "list"]),
        ("isIP({0}) || isURL({0})", ["text"]),
        ("format.dns1123Label().validate({0}).hasValue()", ["text"]),
        ("type({0}) == string", ["any"]),
        ("{0}.isSorted()", ["list"]),
        ("{0}.exists(x, size(x) > {1})", ["list", "number"]),
        ("{0}.exists(x, string(x) == {1})", ["list", "text"]),
        ("{0}.all(x, x.indexOf({1}) == 0)", ["list", "text"]),
        ("{0}.exists(x, x + x == {1})", ["list", "any"]),
        ("{0}.all(x, -x < {1})", ["list", "number"]),
        ("{0}.all(x, x >= x)", ["list"]),
        ("{0}.exists(x, x in {1})", ["list", "list"]),
        ("{0}.max() == {1}", ["list", "text"]),
        ("dyn({0}) == true", ["any"]),
    ],
    "number": [
        ("size({0})", ["text"]),
        ("{0}.size()", ["list"]),
        ("{0}.indexOf({1})", ["text", "text"]),
        ("{0}.indexOf({1})", ["list", "text"]),
        ("{0} + {1}", ["number", "number"]),
        ("{0} / {1}", ["number", "number"]),
        ("int({0})", ["any"]),
        ("double({0})", ["text"]),
        ("[{0}, {1}].max()", ["number", "number"]),
        ("{0}.sum()", ["list"]),
    ],
    "optional": [
        ("optional.of({0})", ["text"]),
        ("optional.ofNonZeroValue({0})", ["text"]),
        ("{0}.first()", ["list"]),
        ("{0}.last()", ["list"]),
        ("{0}.or({1})", ["optional", "optional"]),
        ("optional.of('a').optMap(x, x + {0})", ["text"]),
        ("{0}[?0]", ["list"]),
    ],
    "any": [
        ("{0}", ["text"]),
        ("{0}", ["list"]),
        ("{0}", ["number"]),
        ("{0}", ["bool"]),
        ("dyn({0})", ["text"]),
        ("{{'a': {0}}}", ["text"]),
    ],
}


def _leaves(kind: str, over_user: bool) -> Text:
    texts = st.sampled_from(TEXTS).map(_quoted)
    if over_user:
        return {
            "text": st.one_of(texts, st.sampled_from(_USER_TEXTS)),
            "list": st.sampled_from(
                ["user.groups", "['a', 'b']", "user.extra['example.org/k']", "[user.username]"]
            ),
            "bool": st.sampled_from(
                [
                    "true",
                    "has(user.uid)",
                    "has(user.extra)",
                    "'example.org/k' in user.extra",
                    "user.extra == {}",
                    "user.username == user.uid",
                ]
            ),
            "number": st.sampled_from(["0", "1", "size(user.extra)"]),
            "optional": st.sampled_from(
                ["optional.none()", "user.groups[?0]", "user.extra[?'example.org/k'][?0]"]
            ),
            "any": st.sampled_from(["user.extra", "user.groups", "null", "dyn(user).nope"]),
        }[kind]
    fields = st.sampled_from(_FIELDS).map(_claim)
    return {
        "text": st.one_of(
            texts, st.sampled_from(["claims.sub", "claims.email", "claims.nested.a"])
        ),
        "list": st.sampled_from(
            [
                *("['a', 'b']", "[]", "[claims.sub]", "claims.groups", "dyn(claims.groups)"),
                *("claims.deep.a.b", "dyn(claims.list)", "claims.map(v, type(v) == string, 's')"),
            ]
        ),
        "bool": st.sampled_from(
            ["true", "claims.ok", "has(claims.email)", "has(claims.nested.x__dot__y)"]
        ),
        "number": st.sampled_from(["0", "1", "2.5", "claims.n", "1u"]),
        "optional": st.sampled_from(
            ["optional.none()", "claims.?email", "claims.?nested.?a", "claims[?'nope']"]
        ),
        "any": st.one_of(fields, st.sampled_from(["null", "claims.?sub", "b'a'"])),
    }[kind]


@functools.cache
def _level(kind: str, over_user: bool, depth: int = 3) -> Text:
    """Expressions of a kind in which others lie so deep."""
    leaves = _leaves(kind, over_user)
    if depth == 0:
        return leaves
    deeper = [
        st.tuples(*[_level(part, over_user, depth - 1) for part in parts]).map(
            functools.partial(_filled, template)
        )
        for template, parts in _TEMPLATES[kind]
    ]
    return st.one_of(leaves, *deeper)


def _filled(template: str, parts: tuple[str, ...]) -> str:
    return template.format(*parts)
