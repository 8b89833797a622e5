"""Label selectors: what is asked of an object's labels, read as API servers read it. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from koproxy_harness.kube.name_rules import wrong_key, wrong_value
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.status import Refusal, together

Test = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^ \0\t\r\n=!(),<>]+)")
_SIGNS = frozenset(["=", "==", "!=", "!", "(", ")", ",", "<", ">"])
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_INTEGER = re.compile(r"[+-]?[0-9]+")


def label_tests(text: str) -> Iterator[Test]:
    """Read a label selector; raises `Refusal` 400 for one that can't be read."""
    tokens = _Tokens(text)
    while tokens.next:
        if not (tokens.word or tokens.next == "!"):
            raise tokens.wrong("!, identifier, or 'end of string'")
        try:
            yield _requirement(tokens)
        except ValueError as error:
            raise Refusal(400, f"unable to parse requirement: {error}") from None
        if tokens.next not in ("", ","):
            raise tokens.wrong("',' or 'end of string'")
        if tokens.take() and not (tokens.word or tokens.next == "!"):
            raise tokens.wrong("identifier after ','")


class _Tokens:
    """The signs and words of a selector, from left to right."""

    def __init__(self, text: str) -> None:
        self._left = _TOKEN.findall(text)
        self._left.reverse()

    @property
    def next(self) -> str:
        """What comes next, "" at the end."""
        return self._left[-1] if self._left else ""

    @property
    def word(self) -> bool:
        """Whether what comes next is a word."""
        return bool(self._left) and self.next not in _SIGNS

    def take(self) -> str:
        return self._left.pop() if self._left else ""

    def wrong(self, expected: str) -> Refusal:
        return Refusal(400, _found(self.next, expected))


def _found(token: str, expected: str) -> str:
    return f"found '{token}', expected: {expected}"


def _requirement(tokens: _Tokens) -> Test:
    """Read one of the requirements; raises `ValueError` saying what is wrong with it."""
    absent = tokens.next == "!"
    if absent:
        tokens.take()
    if not tokens.word:
        raise ValueError(_found(tokens.take(), "identifier"))
    key = tokens.take()
    _check(f"<nil>: Invalid value: {quoted(key)}: ", wrong_key(key))
    if absent:
        return lambda labels: key not in labels
    if tokens.next in ("", ","):
        return lambda labels: key in labels
    return _compared(tokens, key, tokens.take())


def _compared(tokens: _Tokens, key: str, operator: str) -> Test:
    match operator:
        case "=" | "==":
            value = _one(tokens, key)
            return lambda labels: labels.get(key) == value
        case "!=":
            other = _one(tokens, key)
            return lambda labels: labels.get(key) != other
        case "in":
            chosen = _several(tokens, key)
            return lambda labels: labels.get(key) in chosen
        case "notin":
            avoided = _several(tokens, key)
            return lambda labels: labels.get(key) not in avoided
        case "<" | ">":
            limit = _limit(tokens, key)
            sign = 1 if operator == ">" else -1
            return lambda labels: _is_beyond(labels.get(key, ""), sign, limit)
    raise ValueError(_found(operator, _OPERATORS))


def _one(tokens: _Tokens, key: str) -> str:
    value = _value(tokens)
    _check_values(key, [value])
    return value


def _value(tokens: _Tokens) -> str:
    if tokens.next in ("", ","):
        return ""
    if not tokens.word:
        raise ValueError(_found(tokens.take(), "identifier"))
    return tokens.take()


def _limit(tokens: _Tokens, key: str) -> int:
    value = _value(tokens)
    limit = _integer(value)
    if limit is None:
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        _check_values(key, [value], f"values[0]: Invalid value: {quoted(value)}: {why}")
    _check_values(key, [value])
    return limit or 0


def _several(tokens: _Tokens, key: str) -> frozenset[str]:
    if tokens.next != "(":
        raise ValueError(f"found '{tokens.take()}' expected: '('")
    tokens.take()
    if tokens.next == ")":
        tokens.take()
        return frozenset([""])
    if not (tokens.word or tokens.next == ","):
        raise ValueError(_found(tokens.next, "',', ')' or identifier"))
    values = set()
    while True:
        values.add(tokens.take() if tokens.word else "")
        if tokens.next == ")":
            break
        if tokens.next != ",":
            raise ValueError(_found(tokens.next, "',' or ')'"))
        tokens.take()
        if not (tokens.word or tokens.next in (",", ")")):
            raise ValueError(_found(tokens.next, "',', or identifier"))
    tokens.take()
    _check_values(key, sorted(values))
    return frozenset(values)


def _check(what: str, problems: Iterable[str]) -> None:
    said = "; ".join(problems)
    if said:
        raise ValueError(what + said)


def _check_values(key: str, values: Iterable[str], *wrong: str) -> None:
    """See that these are a label's values, and that nothing else is `wrong` with them."""
    found = list(wrong)
    for place, value in enumerate(values):
        said = "; ".join(wrong_value(value))
        if said:
            found.append(f"values[{place}][{key}]: Invalid value: {quoted(value)}: {said}")
    if found:
        raise ValueError(together(found))


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER.fullmatch(text) and len(text) <= 20 else None
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _is_beyond(value: str, sign: int, limit: int) -> bool:
    number = _integer(value)
    return number is not None and (number - limit) * sign > 0
