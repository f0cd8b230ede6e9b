"""Search for PaymentIntents: `metadata['order']:'7' AND status:'succeeded'`.

https://docs.stripe.com/search#search-query-language
"""

import re
from collections.abc import Callable

from sandbox.accounts import MINUTE, Account
from sandbox.answers import list_object
from sandbox.errors import invalid
from sandbox.parameters import Params
from sandbox.store import Object

# What was made or changed is found only after a while: never read after write.
SEARCHABLE_AFTER = MINUTE

CLAUSE = re.compile(
    r"""\s*(?P<not>-)?
    (?P<field>status|currency|customer|amount|created|metadata\[(?P<q>['"])(?P<key>[^'"]+)(?P=q)\])
    \s*(?P<operator>>=|<=|:|~|>|<)\s*
    (?P<value>'[^']*'|"[^"]*"|-?\d+|null)\s*""",
    re.VERBOSE,
)
JOIN = re.compile(r"AND|OR", re.IGNORECASE)
NUMERIC = {"amount", "created"}
MOST = 100

Matches = Callable[[Object], bool]


def search(account: Account, params: Params) -> Object:
    if "query" not in params:
        raise invalid("Missing required param: query.", code="parameter_missing")
    matches = _parse(params["query"])
    limit = params.get("limit", 10)
    if not 1 <= limit <= MOST:
        raise invalid("limit must be between 1 and 100", param="limit")
    start = max(0, params.get("page", 0))
    newest = account.now() - SEARCHABLE_AFTER
    if account.hidden_since is not None:
        newest = int(min(newest, account.hidden_since))
    indexed = account.find("payment_intent", where=[("created", "<=", newest)])
    found = [intent for intent in indexed if matches(intent)]
    data = found[start : start + limit]
    more = len(found) > start + limit
    result = list_object(data, url="/v1/payment_intents/search", has_more=more)
    return result | {
        "object": "search_result",
        "next_page": str(start + limit) if more else None,
    }


def _parse(query: str) -> Matches:
    clauses: list[Matches] = []
    joins: set[str] = set()
    position = 0
    while True:
        found = CLAUSE.match(query, position)
        if found is None:
            raise invalid(f"We were unable to parse your search query: {query}")
        clauses.append(_clause(found))
        position = found.end()
        if position == len(query):
            break
        join = JOIN.match(query, position)
        joins.add(join[0].upper() if join else "AND")
        position = join.end() if join else position
    if len(joins) > 1:
        raise invalid("AND and OR cannot be mixed in one query.", param="query")
    combine = any if joins == {"OR"} else all
    return lambda intent: combine(clause(intent) for clause in clauses)


def _clause(found: re.Match[str]) -> Matches:
    field, key, operator = found["field"], found["key"], found["operator"]
    wanted = found["value"].strip("'\"")

    def matches(intent: Object) -> bool:
        value = intent["metadata"].get(key) if key else intent[field]
        if found["value"] == "null":
            result = value is None
        elif operator == "~":
            result = value is not None and wanted.lower() in str(value).lower()
        elif field in NUMERIC and operator != ":":
            result = _compare(int(value), operator, int(wanted))
        else:
            result = value is not None and str(value) == wanted
        return result != bool(found["not"])

    return matches


def _compare(value: int, operator: str, wanted: int) -> bool:
    return {
        ">": value > wanted,
        ">=": value >= wanted,
        "<": value < wanted,
        "<=": value <= wanted,
    }[operator]
