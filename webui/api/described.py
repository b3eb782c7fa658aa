"""Operations of the API, each with its shapes, and the OpenAPI document that is made from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from webui.access.doors import needs
from webui.api.shapes import Nothing, Problem

V = TypeVar("V", bound=Callable[..., Any])

VERSION = "1"
PREFIX = f"/api/v{VERSION}"
JSON = "application/json"
PROBLEM = "application/problem+json"

_REFUSALS = {
    "400": "what was asked for makes no sense; `detail` says what and where",
    "401": "there is no valid token: send `Authorization: Bearer blt_...`",
    "403": "the token's scopes do not have this",
    "404": "there is none, or it is outside the token's range",
    "409": "well said, and yet it cannot be: `detail` says why",
    "413": "larger than 64 KiB",
    "415": "the body is not application/json",
    "503": "a part of the box does not answer; calls go on",
}


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str                                     # below PREFIX, with {names}
    scope: str
    summary: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    status: int
    act: str

    @property
    def name(self) -> str:
        words = [word.strip("{}") for word in self.path.strip("/").split("/")]
        return "_".join([self.method.lower(), *words])


class Api:
    """Registers operations on a blueprint: reads what they take, writes what they give."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self.operations: list[Operation] = []

    def operation(
        self, summary: str, method: str, path: str, scope: str, gives: type[msgspec.Struct],
        takes: type[msgspec.Struct] = Nothing, status: int = 200, act: str = "",
    ) -> Callable[[V], V]:
        """The function gets what `takes` says, then the names of the path."""
        def register(function: V) -> V:
            told = Operation(method, path, scope, summary, takes, gives, status, act)
            self.operations.append(told)

            @needs(scope, act=act)
            def view(**names: str) -> Response:
                answer = function(_taken(told), **names)
                return Response(msgspec.json.encode(answer), status, mimetype=JSON)
            view.__name__ = told.name
            rule = path.replace("{", "<string(maxlength=64):").replace("}", ">")
            self._blueprint.add_url_rule(rule, told.name, view, methods=[method])
            return function
        return register

    def document(self, title: str, version: str) -> dict[str, Any]:
        """OpenAPI 3.1."""
        types: list[Any] = [Problem, *(one.gives for one in self.operations),
                            *(one.takes for one in self.operations)]
        _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
        paths: dict[str, dict[str, Any]] = {}
        for one in self.operations:
            paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _told(one, components)
        taken_by_query = {one.takes.__name__ for one in self.operations if one.method == "GET"}
        return {
            "openapi": "3.1.0",
            "info": {"title": title, "version": f"{VERSION} ({version})", "description": _DESCRIPTION},
            "paths": paths,
            "security": [{"token": []}],
            "components": {
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
                "schemas": {name: schema for name, schema in components.items()
                            if name not in taken_by_query}},
        }


_DESCRIPTION = (
    "One box of a branch: what goes on, what went on, and a few acts. Every call wants a token, which an "
    "administrator makes on the page *API tokens*: its scopes say what it may, its range whose calls it sees."
    " Times are Unix seconds. Later versions may add fields; within v1 none goes or changes its meaning.")


def _taken(told: Operation) -> msgspec.Struct:
    """BadRequest, UnsupportedMediaType: what and where it is wrong."""
    try:
        if told.method == "GET":
            repeated = [name for name, values in request.args.lists() if len(values) > 1]
            if repeated:
                raise BadRequest(f"{repeated[0]}: said more than once")
            return msgspec.convert(request.args.to_dict(), told.takes, strict=False)
        if request.args:
            raise BadRequest(f"{next(iter(request.args))}: nothing is said in the address")
        if request.mimetype != JSON:
            raise UnsupportedMediaType(f"send {JSON}")
        return msgspec.json.decode(request.get_data(), type=told.takes)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(str(error)) from None


def _told(one: Operation, components: dict[str, Any]) -> dict[str, Any]:
    names = [word.strip("{}") for word in one.path.split("/") if word.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "string", "minLength": 1, "maxLength": 64}} for name in names]
    codes = ["400", "401", "403", "404", "409", "503"]
    told: dict[str, Any] = {
        "operationId": one.name, "summary": one.summary, "description": f"Scope: `{one.scope}`.",
        "responses": {str(one.status): {
            "description": "it is so", "content": {JSON: {"schema": _ref(one.gives)}}}}}
    if one.method == "GET":
        schema = components[one.takes.__name__]
        required = schema.get("required", [])
        parameters += [{"name": name, "in": "query", "required": name in required, "schema": part}
                       for name, part in schema.get("properties", {}).items()]
    else:
        codes += ["413", "415"]
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": _ref(one.takes)}}}
    if parameters:
        told["parameters"] = parameters
    for code in sorted(codes):
        told["responses"][code] = {
            "description": _REFUSALS[code], "content": {PROBLEM: {"schema": _ref(Problem)}}}
    return told


def _ref(shape: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
