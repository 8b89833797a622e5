"""Kubernetes' named formats: ``format.dns1123Label().validate(x)``. Pure.

What is wrong with a text is said in the words of Kubernetes' own validation.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from koproxy.cel.functions.regex import compiled
from koproxy.cel.functions.times import read_timestamp
from koproxy.cel.functions.urls import is_url, read_url
from koproxy.cel.overloads import Overload
from koproxy.cel.values import NONE, CelError, GoStrings, Optional

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = f"{_LABEL}(\\.{_LABEL})*"
_OLD_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_UUID = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
_TIME = "([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))"
_ALPHANUMERIC = "lower case alphanumeric characters"
_KEY_EXAMPLES = ("MyName", "my.name", "123-abc")

_TEXTS = {
    _LABEL: f"a lowercase RFC 1123 label must consist of {_ALPHANUMERIC} or '-', and must start"
    " and end with an alphanumeric character",
    _SUBDOMAIN: f"a lowercase RFC 1123 subdomain must consist of {_ALPHANUMERIC}, '-' or '.', and"
    " must start and end with an alphanumeric character",
    _OLD_LABEL: f"a DNS-1035 label must consist of {_ALPHANUMERIC} or '-', start with an"
    " alphabetic character, and end with an alphanumeric character",
    _KEY: "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with"
    " an alphanumeric character",
    _VALUE: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_'"
    " or '.', and must start and end with an alphanumeric character",
}

Validate = Callable[[str], list[str]]
"""Says what is wrong with a text."""


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """A format; two of one name are the same."""

    type_name: ClassVar[str] = "kubernetes.NamedFormat"

    name: str


def _matches(pattern: str, text: str) -> bool:
    return compiled(pattern).fullmatch(text) is not None


def _too_long(text: str, most: int, unit: str = "bytes") -> list[str]:
    return [f"must be no more than {most} {unit}"] if len(text.encode()) > most else []


def _refused(pattern: str, *examples: str) -> str:
    shown = " or ".join([f"'{example}', " for example in examples])
    return f"{_TEXTS[pattern]} (e.g. {shown}regex used for validation is '{pattern}')"


def _label(text: str) -> list[str]:
    wrong = _too_long(text, 63, "characters")
    if not _matches(_LABEL, text):
        dots = _matches(_SUBDOMAIN, text)
        wrong.append("must not contain dots" if dots else _refused(_LABEL, "my-name", "123-abc"))
    return wrong


def _subdomain(text: str, unit: str = "characters") -> list[str]:
    wrong = _too_long(text, 253, unit)
    return wrong if _matches(_SUBDOMAIN, text) else [*wrong, _refused(_SUBDOMAIN, "example.com")]


def _old_label(text: str) -> list[str]:
    wrong = _too_long(text, 63, "characters")
    if _matches(_OLD_LABEL, text):
        return wrong
    return [*wrong, _refused(_OLD_LABEL, "my-name", "abc-123")]


def _prefix_of(validate: Validate) -> Validate:
    """A prefix may end with a dash, since something comes behind it."""

    def masked(text: str) -> list[str]:
        ends = len(text.encode()) > 1 and text.endswith("-")
        return validate(f"{text.encode()[:-2].decode(errors='replace')}a" if ends else text)

    return masked


def _qualified_name(text: str) -> list[str]:
    parts = text.split("/")
    if len(parts) > 2:
        return [
            f"a valid label key {_refused(_KEY, *_KEY_EXAMPLES)}"
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    wrong, name = [], parts[-1]
    if len(parts) == 2:
        found = _subdomain(parts[0], "bytes") if parts[0] else ["must be non-empty"]
        wrong += [f"prefix part {each}" for each in found]
    if not name:
        wrong.append("name part must be non-empty")
    wrong += [f"name part {each}" for each in _too_long(name, 63)]
    if not _matches(_KEY, name):
        wrong.append(f"name part {_refused(_KEY, *_KEY_EXAMPLES)}")
    return wrong


def _label_value(text: str) -> list[str]:
    wrong = _too_long(text, 63)
    if _matches(_VALUE, text):
        return wrong
    return [*wrong, _refused(_VALUE, "MyValue", "my_value", "12345")]


def _uri(text: str) -> list[str]:
    if is_url(text):  # a value of the type URL may be refused where this isn't
        return []
    try:
        read_url(text)
    except CelError as wrong:
        return [str(wrong).removeprefix("URL parse error during conversion from string: ")]
    return []


def _is_date(text: str) -> bool:
    try:
        read_timestamp(f"{text}T00:00:00Z")
    except CelError as wrong:
        return "overflow" in str(wrong)  # the year 0: a date, though no point in time here
    return True


def _is_date_time(text: str) -> bool:
    parts = text.lower().split("t")
    if len(text.encode()) < 4 or len(parts) < 2 or not _is_date(parts[0]):
        return False
    match = compiled(_TIME).fullmatch(parts[1])
    if match is None:
        return False
    return bool(match[1] <= "23" and match[2] <= "59" and match[3] <= "59")


def _saying(sentence: str, holds: Callable[[str], bool]) -> Validate:
    return lambda text: [] if holds(text) else [sentence]


_FORMATS: dict[str, Validate] = {
    "dns1123Label": _label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _old_label,
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _prefix_of(_label),
    "dns1123SubdomainPrefix": _prefix_of(_subdomain),
    "dns1035LabelPrefix": _prefix_of(_old_label),
    "labelValue": _label_value,
    "uri": _uri,
    "uuid": _saying("does not match the UUID format", lambda text: _matches(_UUID, text)),
    "byte": _saying("invalid base64", lambda text: _matches(_BASE64, text)),
    "date": _saying("invalid date", _is_date),
    "datetime": _saying("invalid datetime", _is_date_time),
}


def _named(name: str) -> Optional:
    return Optional(True, NamedFormat(name)) if name in _FORMATS else NONE


def _validate(given: NamedFormat, text: str) -> Optional:
    wrong = _FORMATS[given.name](text)
    return Optional(True, GoStrings(wrong)) if wrong else NONE


def _constant(name: str) -> Overload:
    return Overload(f"format.{name}() -> kubernetes.NamedFormat", lambda: NamedFormat(name))


OVERLOADS = (
    Overload("format.named(string) -> optional_type<kubernetes.NamedFormat>", _named),
    Overload(
        "kubernetes.NamedFormat.validate(string) -> optional_type<list<string>>",
        _validate,
        cost=lambda _, text: len(text) // 5,
    ),
    *map(_constant, _FORMATS),
)
