"""What a call takes: each parameter is a function from (text, name) to a value."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.errors import invalid, unknown

Parser = Callable[[Any, str], Any]
Params = dict[str, Any]

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")


def text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", param=name)
    if value == "":
        raise invalid(
            f"You passed an empty string for '{name}'. An empty value unsets a"
            f" parameter, and '{name}' cannot be unset.",
            code="parameter_invalid_empty",
            param=name,
        )
    return value


def integer(value: Any, name: str) -> int:
    if WHOLE_NUMBER.fullmatch(text(value, name)) is None:
        raise invalid(
            f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
        )
    return int(value)


def boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def anything(value: Any, name: str) -> Any:
    """A parameter that is accepted and has no effect here."""
    return value


def unsupported(value: Any, name: str) -> Any:
    """A parameter of Stripe's whose effect is not part of the sandbox."""
    raise invalid(f"The sandbox does not support this parameter: {name}", param=name)


def one_of(*choices: str) -> Parser:
    def parse(value: Any, name: str) -> str:
        if value not in choices:
            listed = ", ".join(choices[:-1]) + f", or {choices[-1]}"
            raise invalid(f"Invalid {name}: must be one of {listed}", param=name)
        return str(value)

    return parse


def list_of(each: Parser) -> Parser:
    def parse(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise invalid("Invalid array", param=name)
        return [each(entry, f"{name}[{n}]") for n, entry in enumerate(value)]

    return parse


def or_unset(parser: Parser) -> Parser:
    """The same, but an empty string is accepted and means "unset"."""

    def parse(value: Any, name: str) -> Any:
        return "" if value == "" else parser(value, name)

    return parse


def either(*parsers: Parser) -> Parser:
    """The first of these that takes the value."""

    def parse(value: Any, name: str) -> Any:
        wants_fields = isinstance(value, dict)
        return parsers[-1 if wants_fields else 0](value, name)

    return parse


class fields:
    """A hash with these keys and no others."""

    def __init__(self, known: dict[str, Parser]) -> None:
        self.known = known

    def __call__(self, value: Any, name: str = "") -> Params:
        if not isinstance(value, dict):
            raise invalid("Invalid hash", param=name)
        parsed = {}
        for key, entry in value.items():
            inner = f"{name}[{key}]" if name else key
            if key not in self.known:
                raise unknown(inner)
            parsed[key] = self.known[key](entry, inner)
        return parsed


def metadata(value: Any, name: str) -> dict[str, str] | str:
    """Up to 50 keys of 40 characters with values of 500; "" unsets."""
    if value == "":
        return ""
    if not isinstance(value, dict):
        raise invalid("Invalid hash", param=name)
    if len(value) > 50:
        raise invalid("Metadata can have at most 50 keys.", param=name)
    for key, entry in value.items():
        if len(key) > 40:
            raise invalid(
                f"Metadata keys can have up to 40 characters: {key}", param=name
            )
        if not isinstance(entry, str) or len(entry) > 500:
            raise invalid(
                "Metadata values can be strings of up to 500 characters.",
                param=f"{name}[{key}]",
            )
    return value


def merge_metadata(old: dict[str, str], change: dict[str, str] | str) -> dict[str, str]:
    """Add and replace keys; an empty value unsets one, an empty hash unsets all."""
    if isinstance(change, str):
        return {}
    merged = old | change
    return {key: value for key, value in merged.items() if value != ""}


EXPAND: dict[str, Parser] = {"expand": list_of(text)}
RANGE = either(
    integer, fields({"gt": integer, "gte": integer, "lt": integer, "lte": integer})
)
PAGE: dict[str, Parser] = EXPAND | {
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
}
ADDRESS = fields(
    dict.fromkeys(
        ("city", "country", "line1", "line2", "postal_code", "state"), or_unset(text)
    )
)
BILLING_DETAILS = fields(
    {
        "address": or_unset(ADDRESS),
        "email": or_unset(text),
        "name": or_unset(text),
        "phone": or_unset(text),
        "tax_id": or_unset(text),
    }
)
SHIPPING = fields(
    {
        "address": ADDRESS,
        "name": text,
        "carrier": or_unset(text),
        "phone": or_unset(text),
        "tracking_number": or_unset(text),
    }
)


def full_address(typed: Params | str | None) -> Params | None:
    """The address with every field, as objects show it."""
    if not isinstance(typed, dict):
        return None
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: typed.get(name) or None for name in names}


def full_shipping(typed: Params | str | None) -> Params | None:
    if not isinstance(typed, dict):
        return None
    return {
        "address": full_address(typed.get("address", {})),
        "carrier": typed.get("carrier") or None,
        "name": typed.get("name"),
        "phone": typed.get("phone") or None,
        "tracking_number": typed.get("tracking_number") or None,
    }
