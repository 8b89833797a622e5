"""Rules that ask whether a user has extra fields."""

import pytest

from koproxy.cel.claims import user_root
from koproxy.cel.compiling import CompileError, Compiler
from koproxy.cel.user_extra import answered

COMPILER = Compiler()
USER = user_root("jane", "", ("a",), {"k": ("v",)})


@pytest.mark.parametrize(
    "text",
    [
        "has(user.extra)",
        "has ( user\n. extra ) && user.extra['k'][0] == 'v'",
        "'has(user.extra)'.size() == 15 && has(user.extra)",
        'r"\\has(user.extra)".size() == 16',
        "'''\nhas(user.extra)'''.size() == 16 // has(user.extra)",
        "has(user.extra.k) && !has(user.extra.l) && has(user.username)",
        "user.groups.all(g, has(user.extra))",
    ],
)
def test_they_are_there(text: str) -> None:
    assert COMPILER.user(text).evaluate(USER) is True


def test_another_user_is_asked() -> None:
    rule = COMPILER.user("[{'name': 'x'}].exists(user, has(user.extra))")
    assert rule.evaluate(USER) is False


def test_nothing_but_the_question_is_changed() -> None:
    text = "xhas(user.extra) || a.has(user.extra) || has(user.extras) || has(user.extra.k)"
    assert answered(text) == text


def test_errors_show_what_was_written() -> None:
    with pytest.raises(CompileError) as wrong:
        COMPILER.user("has(user.extra) && nope")
    assert str(wrong.value).splitlines() == [
        "compilation failed: ERROR: <input>:1:20: undeclared reference to 'nope' (in container '')",
        " | has(user.extra) && nope",
        " | ...................^",
    ]


def test_claims_have_no_user() -> None:
    with pytest.raises(CompileError, match="undeclared reference to 'user"):
        COMPILER.claims("has(user.extra)")
