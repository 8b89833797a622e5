"""Expressions compiled as kube-apiserver compiles them, or refused with its words and positions.

Google's library parses and checks. It sees the text, which is an administrator's, and never a
claim; what it gives is decoded, looked through for what Kubernetes refuses besides, and evaluated
by this room. https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import re
from functools import cached_property
from typing import Any

from cel_expr_python import cel

from koproxy.cel.claims import Root
from koproxy.cel.constants import wrong_constants
from koproxy.cel.declarations import environment, user_messages
from koproxy.cel.decoding import CheckedExpression, decode
from koproxy.cel.evaluation import Evaluation
from koproxy.cel.library import FUNCTIONS, OVERLOADS
from koproxy.cel.literals import wrong_literals
from koproxy.cel.tree import Call, Constant, Identifier, Node, Select, walk
from koproxy.cel.user_extra import answered
from koproxy.cel.values import CelError

MOST_CHARACTERS = 100_000
MOST_MAPPED = 10
"""How often an optional may be mapped in one expression: each time doubles what is parsed."""

_CLAIMS = {"claims": "map<string, any>"}
_USER = {"user": "kubernetes.UserInfo", "user.extra": "map<string, list<string>>"}
_MAPPED = re.compile(r"\.\s*opt(?:Flat)?Map\s*\(")
_BEFORE = re.compile(r"\A[A-Z_]+: (?=ERROR)")
_WORDS = (
    ("cannot be the range of", "cannot be range of"),
    ("has() argument must be a field selection", "invalid argument to has() macro"),
)
"""What cel-go says where Google's library in C++ has other words."""
_AFTER = re.compile(r" \[[A-Z_]+\]\Z")


class CompileError(ValueError):
    """An expression that can't be; the text says why, and where in it."""


class Program:
    """A compiled expression; ``text`` is as it was written."""

    __slots__ = ("_checked", "_variable", "text")

    def __init__(self, text: str, variable: str, checked: CheckedExpression) -> None:
        """Take the expression, and the one variable that it is about."""
        self.text = text
        self._variable = variable
        self._checked = checked

    def evaluate(self, root: Root) -> Any:
        """Give its value; raises ``CelError``."""
        variables = {self._variable: root}
        try:
            return Evaluation(FUNCTIONS, self._checked.overloads).value(
                self._checked.tree, variables
            )
        except RecursionError:
            raise CelError("its objects and lists lie too deep in each other") from None

    def uses(self, claim: str) -> bool:
        """Say whether it selects a claim by its name: ``claims.email``, ``claims.?email``."""
        return any(_selects(node, claim, self._checked) for node in walk(self._checked.tree))


class Compiler:
    """Compiles expressions; what it knows of variables and functions is made once, when needed."""

    def claims(self, text: str, *, is_rule: bool = False) -> Program:
        """Compile an expression over ``claims``; that of a rule has to give a bool.

        Raises ``CompileError``.
        """
        return self._compile(text, text, "claims", self._claims, is_rule=is_rule)

    def user(self, text: str) -> Program:
        """Compile a rule over ``user``; raises ``CompileError``."""
        return self._compile(text, answered(text), "user", self._user, is_rule=True)

    def _compile(
        self, text: str, given: str, variable: str, environment: Any, *, is_rule: bool
    ) -> Program:
        """Compile a text; what is ``given`` to the library has everything in the same place."""
        checked = _checked(text, given, environment)
        wrong = [_placed(text, checked, *found) for found in wrong_literals(checked)]
        if wrong:
            raise CompileError("compilation failed: " + "\n".join(wrong))
        if is_rule and checked.type_of(checked.tree) != "bool":
            raise CompileError("must evaluate to bool")
        for problem in wrong_constants(checked, FUNCTIONS):
            raise CompileError(f"program instantiation failed: {problem}")
        return Program(text, variable, checked)

    @cached_property
    def _claims(self) -> Any:
        config = cel.NewEnvConfigFromYaml(environment(_CLAIMS, OVERLOADS))
        return cel.NewEnv(config=config)

    @cached_property
    def _user(self) -> Any:
        config = cel.NewEnvConfigFromYaml(environment(_USER, OVERLOADS))
        return cel.NewEnv(descriptor_pool=user_messages(), config=config)


def _checked(text: str, given: str, environment: Any) -> CheckedExpression:
    if len(text) > MOST_CHARACTERS:
        raise CompileError(
            "compilation failed: expression code point size exceeds limit: size: "
            f"{len(text)}, limit {MOST_CHARACTERS}"
        )
    if len(_MAPPED.findall(text)) > MOST_MAPPED:
        raise CompileError(
            f"compilation failed: more than {MOST_MAPPED} of optMap and optFlatMap: each doubles"
            " the expression"
        )
    try:
        serialized = environment.compile(given).serialize()
    except RuntimeError as wrong:
        said = _AFTER.sub("", _BEFORE.sub("", str(wrong)))
        for compiled, written in zip(given.split("\n"), text.split("\n"), strict=True):
            said = said.replace(f" | {compiled}\n", f" | {written}\n")
        for theirs, ours in _WORDS:
            said = said.replace(theirs, ours)
        raise CompileError(f"compilation failed: {said}") from None
    except (TypeError, UnicodeError):
        raise CompileError("compilation failed: it isn't text that can be encoded") from None
    try:
        return decode(serialized)
    except ValueError as wrong:
        raise CompileError(f"compilation failed: {wrong}") from None


def _placed(text: str, checked: CheckedExpression, node: Node, problem: str) -> str:
    """Say where in the expression something is wrong, as cel-go does."""
    before = text[: checked.positions.get(node.number, 0)]
    line = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1)
    source = text.split("\n")[line]
    return f"ERROR: <input>:{line + 1}:{column + 1}: {problem}\n | {source}\n | {'.' * column}^"


def _selects(node: Node, claim: str, checked: CheckedExpression) -> bool:
    match node:
        case Select(field=field, operand=operand):
            return field == claim and _is_claims(operand)
        case Call(function="_?._", arguments=(operand, Constant(value=value))):
            return value == claim and _is_claims(operand)
    return False


def _is_claims(node: Node) -> bool:
    return isinstance(node, Identifier) and node.name.removeprefix(".") == "claims"
