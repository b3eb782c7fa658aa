"""The small language of conditions and values in flows: one expression over a contact's variables.

Values are texts, numbers, true and false. Work is bounded: an expression is short, has no loops, no
attributes and no indexing, and every text and number that comes about has a bound.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from simpleeval import SimpleEval

from appliance.errors import BranchlineError

Value = str | int | float | bool

LONGEST = 300                                     # characters of an expression
TEXT_MOST = 500                                   # characters of a value
NUMBER_MOST = 10**15                              # numbers are below it, as speech has them
DECIMALS = 6

WORDS = frozenset({"true", "false", "and", "or", "not", "in", "is", "if", "else", "lambda", "for", "none"})
_NAMED = re.compile(r"\{([^{}]*)\}")
_HALF = re.compile("[\ud800-\udfff]")            # a surrogate, as JSON may have it
_DIGITS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")


class ExpressionError(BranchlineError):
    """Says what is wrong with an expression, or why it has no value with these variables."""


def names(expression: str) -> frozenset[str]:
    """The variables it uses. ExpressionError: not an expression of this language."""
    return _parsed(expression)[1]


def evaluate(expression: str, variables: Mapping[str, Value]) -> Value:
    """Its value; a variable that is not set is "". ExpressionError: it has none."""
    tree, used = _parsed(expression)
    evaluator = _Evaluator({name: variables.get(name, "") for name in used})
    try:
        found = evaluator.eval(expression, tree)
    except (TypeError, ValueError, ArithmeticError, ExpressionError) as error:
        raise ExpressionError(f"{expression!r}: {error}") from None
    return bounded(found)


def bounded(value: object) -> Value:
    """The value itself. ExpressionError: of another type, or larger than values are."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not -NUMBER_MOST < value < NUMBER_MOST:           # also no number at all
            raise ExpressionError(f"too large: numbers are below {NUMBER_MOST}")
        return value
    if isinstance(value, str):
        if len(value) > TEXT_MOST:
            raise ExpressionError(f"a text of {len(value)} characters: {TEXT_MOST} are the most")
        if _HALF.search(value):
            raise ExpressionError("half a character, which nothing can write down")
        return value
    raise ExpressionError(f"{type(value).__name__} is no value: a value is a text, a number, true or false")


def text_of(value: Value) -> str:
    """As it is shown and said."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        shown = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
        return "0" if shown == "-0" else shown
    return str(value)


def placeholders(template: str) -> list[str]:
    """The variables of a text such as "you owe {amount}". ExpressionError: braces that hold no name."""
    left = _NAMED.sub("", template)
    if "{" in left or "}" in left:
        raise ExpressionError(f"{template!r}: write variables as {{name}}")
    found: list[str] = _NAMED.findall(template)
    for name in found:
        if not name.isidentifier():
            raise ExpressionError(f"{template!r}: {{{name}}} is no variable: write e.g. {{amount}}")
    return found


def fill(template: str, variables: Mapping[str, Value], quote: Callable[[str], str] = str) -> str:
    """The text with values in it, each as `quote` makes it; a variable that is not set is ""."""
    return _NAMED.sub(lambda found: quote(text_of(variables.get(found[1], ""))), template)


def _number(value: Value) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value.strip()):
            raise ExpressionError(f"{value[:40]!r} is no number")
        return float(value) if "." in value else int(value)
    return value


def _round(value: Value, decimals: int = 0) -> Value:
    if decimals not in range(DECIMALS + 1):
        raise ExpressionError(f"round(x, n): n is 0 to {DECIMALS}")
    rounded = round(_number(value), decimals)
    return rounded if decimals else int(rounded)


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str) != isinstance(right, str):
        raise ExpressionError("+ joins two texts or adds two numbers: use text(x) or number(x)")
    return bounded(left + right)


def _numeric(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def checked(left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            raise ExpressionError("that is a text: use number(x)")
        return bounded(act(left, right))
    return checked


def _contains(part: Any, whole: Any) -> bool:
    return text_of(part) in text_of(whole)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "number": _number,
    "text": text_of,
    "length": lambda value: len(text_of(value)),
    "left": lambda value, count: text_of(value)[:max(0, count)],
    "right": lambda value, count: text_of(value)[-count:] if count > 0 else "",
    "starts": lambda value, start: text_of(value).startswith(text_of(start)),
    "ends": lambda value, end: text_of(value).endswith(text_of(end)),
    "round": _round,
    "abs": lambda value: abs(_number(value)),
    "min": lambda *values: min(map(_number, values)),
    "max": lambda *values: max(map(_number, values)),
}

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _plus,
    ast.Sub: _numeric(operator.sub), ast.Mult: _numeric(operator.mul), ast.Div: _numeric(operator.truediv),
    ast.FloorDiv: _numeric(operator.floordiv), ast.Mod: _numeric(operator.mod),
    ast.USub: lambda value: _numeric(operator.sub)(0, value), ast.Not: operator.not_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: _contains, ast.NotIn: lambda part, whole: not _contains(part, whole),
}
_PARTS = (ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp,
          ast.Call, ast.Name, ast.Load, ast.Constant, *_OPERATORS)


class _Evaluator(SimpleEval):                     # type: ignore[misc]       # the library has no types
    """The library's walk over the tree with our operators and functions, and nothing else of it."""

    def __init__(self, variables: Mapping[str, Value]) -> None:
        known = {"true": True, "false": False, **variables}
        super().__init__(operators=_OPERATORS, functions=FUNCTIONS, names=known)
        self.nodes = {kind: walk for kind, walk in vars(self)["nodes"].items() if kind in _PARTS}


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> tuple[ast.expr, frozenset[str]]:
    if len(expression) > LONGEST:
        raise ExpressionError(f"an expression of {len(expression)} characters: {LONGEST} are the most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")        # of Python about \\d and the like: wrong here, too
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        raise ExpressionError(f"{expression!r} is no expression: write e.g. amount > 100 and grade == 'A'"
                              ) from None
    used = frozenset(_checked(tree, expression))
    return tree, used


def _checked(tree: ast.expr, expression: str) -> Iterator[str]:
    """The names of variables; everything else is looked at."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, _PARTS):
            raise ExpressionError(f"{expression!r}: there is no {type(node).__name__} here: write variables, "
                                  "numbers, 'texts', + - * / // %, comparisons, and, or, not, in, if else")
        if isinstance(node, ast.Call) and (node.keywords or not isinstance(node.func, ast.Name)
                                           or node.func.id not in FUNCTIONS):
            raise ExpressionError(f"{expression!r}: no such function, there are {', '.join(FUNCTIONS)}")
        if isinstance(node, ast.Constant):
            bounded(node.value)
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in ("true", "false"):
            yield node.id
