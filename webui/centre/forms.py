"""Forms made from the document's schema: a field for each key, with its kind, limits and default. Pure.

A form reads into the plain data of a part: what is left empty, or has its default and was not written before,
is not written.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from webui.centre.sheets import levels, read_levels, read_names

BLANK_ROWS = 2                                    # offered below those that there are
MOST_ROWS = 400                                   # of a list; more are refused

Kind = Literal["text", "number", "yes", "choice", "names", "levels", "rows"]


@dataclass(frozen=True, slots=True)
class Field:
    """`key`: as in the document, e.g. reserve.wait_s. `whole`: a number without a fraction."""

    key: str
    kind: Kind
    default: Any = None
    needed: bool = False
    least: float | None = None
    most: float | None = None
    whole: bool = False
    options: tuple[str, ...] = ()
    fields: "tuple[Field, ...]" = ()              # of each row

    @property
    def default_text(self) -> str:
        return text_of(self, self.default)


@functools.cache
def fields_of(model: type[BaseModel]) -> dict[str, Field]:
    """By key, in the schema's order; parts in it are laid open: service_level.within_s."""
    schema = model.model_json_schema()
    return {field.key: field for field in _fields(schema, schema.get("$defs", {}), "", True)}


def _fields(schema: Mapping[str, Any], parts: Mapping[str, Any], prefix: str,
            always: bool) -> Iterator[Field]:
    needed = set(schema.get("required", ()))
    for name, told in schema["properties"].items():
        key, is_needed = f"{prefix}{name}", always and name in needed
        kinds = [_resolved(one, parts) for one in told.get("anyOf", (told,))]
        inner = next((one for one in kinds if one.get("type") != "null"), {})
        default = told.get("default")
        if inner.get("type") == "object" and "properties" in inner:
            optional = any(one.get("type") == "null" for one in kinds)
            for field in _fields(inner, parts, f"{key}.", is_needed or not optional):
                value = default.get(field.key.removeprefix(f"{key}.")) if isinstance(default, dict) else None
                yield replace(field, default=field.default if value is None else value)
            continue
        yield _field(key, inner, kinds, default, is_needed, parts)


def _field(key: str, inner: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]], default: Any, needed: bool,
           parts: Mapping[str, Any]) -> Field:
    match inner.get("type"):
        case "boolean" if len(kinds) == 1:
            return Field(key, "yes", bool(default))
        case "boolean":
            return Field(key, "choice", default, options=("true", "false"))
        case "integer" | "number":
            least = inner.get("minimum", inner.get("exclusiveMinimum"))
            most = inner.get("maximum", inner.get("exclusiveMaximum"))
            return Field(key, "number", default, needed, least, most, inner["type"] == "integer")
        case "array":
            items = _resolved(inner.get("items", {}), parts)
            if "properties" in items:
                return Field(key, "rows", [], needed, fields=tuple(_fields(items, parts, "", False)))
            return Field(key, "names", default or [], needed, options=tuple(items.get("enum", ())))
        case "object":
            values: Mapping[str, Any] = inner.get("additionalProperties") or next(
                iter(inner.get("patternProperties", {}).values()), {})
            if _resolved(values, parts).get("type") in ("integer", "number"):
                return Field(key, "levels", default or {}, needed)
            return Field(key, "text", default, needed)
        case _:
            options = tuple(str(one) for one in inner.get("enum", ()))
            return Field(key, "choice" if options else "text", default, needed, options=options)


def _resolved(told: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in told:
        told = parts[str(told["$ref"]).rpartition("/")[2]]
    if len(every := told.get("allOf", ())) == 1:
        return _resolved(every[0], parts)
    return told


# --- what a form shows

def text_of(field: Field, value: Any) -> str:
    """As it stands in the field."""
    match field.kind, value:
        case _, None:
            return ""
        case "names", str():                      # a list of one may be written so
            return str(value)
        case "names", list():
            return " ".join(str(one) for one in value)
        case "levels", dict():
            return levels({name: level for name, level in value.items() if isinstance(level, int | float)})
        case _, bool():
            return "true" if value else "false"
        case _, float():
            return f"{value:.15g}"
        case _:
            return str(value)


def value_of(part: Mapping[str, Any], key: str) -> Any:
    """Of the plain data; None: it is not there."""
    value: Any = part
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def shown(fields: Sequence[Field], part: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> text, or whether it is so, or the rows of it, for a form that nobody has sent yet."""
    found: dict[str, Any] = {}
    for field in fields:
        value = value_of(part, field.key)
        if field.kind == "rows":
            rows = [shown(field.fields, one) for one in value or () if isinstance(one, Mapping)]
            found[field.key] = [*rows, *(shown(field.fields, {}) for _ in range(BLANK_ROWS))]
        elif field.kind == "yes":
            found[field.key] = field.default if value is None else bool(value)
        else:
            found[field.key] = text_of(field, value)
    return found


def sent(fields: Sequence[Field], form: Mapping[str, str], prefix: str = "",
         many: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """The same of a form as it was sent. `many`: of names that may be there several times."""
    found: dict[str, Any] = {}
    for field in fields:
        name = f"{prefix}{field.key}"
        if field.kind == "rows":
            rows = []
            places = {one.removeprefix(f"{name}-").partition("-")[0] for one in form
                      if one.startswith(f"{name}-")}
            for place in range(len(places)):
                row = f"{name}-{place}-"
                if str(place) not in places:
                    break
                if f"{row}gone" not in form:
                    rows.append(sent(field.fields, form, row, many))
            found[field.key] = rows
        elif field.kind == "yes":
            found[field.key] = form.get(name) == "yes"
        elif field.kind == "names":
            found[field.key] = " ".join((many or {}).get(name, ()) or [form.get(name, "")]).strip()
        else:
            found[field.key] = form.get(name, "").strip()
    return found


# --- what it reads into

@dataclass(frozen=True, slots=True)
class Wrong:
    """`why`: number, level, rows."""

    key: str
    why: str
    about: str


def read(fields: Sequence[Field], values: Mapping[str, Any], old: Mapping[str, Any],
         wrong: list[Wrong], prefix: str = "") -> dict[str, Any]:
    """The plain data of the part, with what `old` has beside the fields; mistakes go to `wrong`."""
    new = _without({**old}, [field.key for field in fields])
    for field in fields:
        where = f"{prefix}{field.key}"
        before = value_of(old, field.key)
        try:
            value = _value(field, values[field.key], before, wrong, where)
        except ValueError as error:
            wrong.append(Wrong(where, "number" if field.kind == "number" else "level", str(error)))
            continue
        if value is None or (before is None and value == field.default):
            continue
        if before is None and value in ([], {}) and not field.needed:
            continue
        _put(new, field.key, before if _alike(before, value) else value)
    return new


def _value(field: Field, said: Any, before: Any, wrong: list[Wrong], where: str) -> Any:
    match field.kind:
        case "yes":
            return bool(said)
        case "rows":
            old_rows = [one for one in before or () if isinstance(one, Mapping)]
            rows = []
            for place, row in enumerate(said):
                old = next((one for one in old_rows if one.get("name", "") == row.get("name")), {})
                part = read(field.fields, row, _beside(old, field.fields), wrong, f"{where}[{place}].")
                if part:
                    rows.append(part)
            if len(rows) > MOST_ROWS:
                wrong.append(Wrong(where, "rows", str(MOST_ROWS)))
            return rows
        case "names":
            return read_names(said)
        case "levels":
            return read_levels(said)
        case "number":
            return _number(said, field.whole) if said else None
        case "choice" if field.options == ("true", "false"):
            return {"true": True, "false": False}.get(said)
        case _:
            return said or ("" if before == "" else None)            # an empty text may mean something


def _beside(old: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """What a row has that its form does not show."""
    names = {field.key.partition(".")[0] for field in fields}
    return {key: value for key, value in old.items() if key not in names}


def _number(text: str, whole: bool) -> int | float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(text) from None
    if not math.isfinite(value) or (whole and value != int(value)):
        raise ValueError(text)
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _alike(before: Any, value: Any) -> bool:
    """Written otherwise, but the same: a list of one, 15 and 15.0."""
    return before == value or (isinstance(before, str) and [before] == value)


def _put(part: dict[str, Any], key: str, value: Any) -> None:
    *outer, name = key.split(".")
    for one in outer:
        inner = part.get(one)
        part[one] = part = {**inner} if isinstance(inner, dict) else {}
    part[name] = value


def _without(part: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Without these keys, and without what was only there for them; copies what it changes."""
    for key in keys:
        name, _, rest = key.partition(".")
        if not rest:
            part.pop(name, None)
        elif isinstance(part.get(name), dict):
            part[name] = _without({**part[name]}, [rest])
            if not part[name]:
                del part[name]
    return part
