"""Holds answers and events to Stripe's schemas and to stripe-python's classes.

Stripe's published schemas are not part of the project: where a copy does not lie
beside it (`SLICE`), only the library's classes are asked.
"""

import builtins
import json
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import stripe
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

SLICE = Path(__file__).parents[3] / "shared" / "stripe" / "openapi-slice.json"
needs_slice = pytest.mark.skipif(
    not SLICE.exists(),
    reason="needs Stripe's published API schemas, which are not part of this project",
)


@cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SLICE.read_text())
    return loaded


def schema_problems(name: str, value: Any) -> list[str]:
    """What is wrong with `value` as the schema `name`."""
    return [
        f"{name} {deepest.json_path}: {deepest.message[:150]}"
        for error in _validator(name).iter_errors(value)
        for deepest in [best_match([error]) or error]
    ]


def event_problems(event: dict[str, Any]) -> list[str]:
    """What is wrong with an event, or with the object inside."""
    inner = spec()["components"]["schemas"]["event"]["x-data-object-by-type"]
    found = schema_problems("event", event)
    if name := inner.get(event["type"]):
        found += schema_problems(name, event["data"]["object"])
    return found


def parameters_of(method: str, path: str) -> set[str]:
    """The names of the parameters that Stripe's call takes."""
    call = spec()["paths"][path][method.lower()]
    names = {
        each["name"]
        for each in call["parameters"]
        if each.get("in", "query") == "query" and "name" in each
    }
    if "requestBody" in call:
        content = call["requestBody"]["content"]["application/x-www-form-urlencoded"]
        reference = content["schema"]["$ref"].rpartition("/")[2]
        names |= set(spec()["components"]["schemas"][reference]["properties"])
    return names


def class_problems(value: Any, kind: type, where: str) -> list[str]:
    """Fields that stripe-python's class does not know, lacks, or types otherwise."""
    hints = _hints(kind)
    found = []
    for name, hint in hints.items():
        optional = type(None) in get_args(hint)
        if name not in value and not optional:
            found.append(f"{where}.{name} is missing")
    for name, entry in value.items():
        if name in hints:
            found += _misfits(entry, hints[name], f"{where}.{name}")
        else:
            found.append(f"{where}.{name} is unknown")
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    schemas = _as_json_schema(spec()["components"]["schemas"])
    return Draft202012Validator(
        {
            "$ref": f"#/components/schemas/{name}",
            "components": {"schemas": schemas},
        }
    )


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema wants a null alternative."""
    if isinstance(node, list):
        return [_as_json_schema(part) for part in node]
    if not isinstance(node, dict):
        return node
    schema = {
        key: _as_json_schema(value) for key, value in node.items() if key != "nullable"
    }
    if node.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, schema]}
    return schema


class _Names(dict[str, Any]):
    """Names that stripe-python's modules import for type checkers only."""

    def __init__(self, kind: type) -> None:
        super().__init__(vars(builtins) | vars(sys.modules[kind.__module__]))
        self.update(vars(kind))

    def __missing__(self, name: str) -> Any:
        return getattr(stripe, name.removesuffix("Resource"), Any)


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The fields of a class, under the names they have on the wire."""
    hints = get_type_hints(kind, localns=_Names(kind))
    return {
        name: hint
        for name, hint in hints.items()
        if not name.startswith("_") and get_origin(hint) is not ClassVar
    }


def _misfits(value: Any, hint: Any, where: str) -> list[str]:
    origin = get_origin(hint)
    if hint is Any:
        return []
    if origin in (Union, types.UnionType):
        tries = [_misfits(value, option, where) for option in get_args(hint)]
        return min(tries, key=len)
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{where}: {value!r} is no choice"]
    if origin is list:
        [inner] = get_args(hint)
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [one for entry in value for one in _misfits(entry, inner, where)]
    if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        if not isinstance(value, dict):
            return [f"{where} is no {hint.__name__}"]
        return class_problems(value, hint, where)
    if isinstance(hint, type):
        right = isinstance(value, hint) and not (hint is int and value is True)
        return [] if right else [f"{where}: {value!r} is no {hint.__name__}"]
    return []
