"""Form encoding as Stripe reads it: `a[b]=1`, and lists as `a[]=1` or `a[0]=1`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import invalid

PART = re.compile(r"\[([^\[\]]*)\]")
INDEX = re.compile(r"[0-9]{1,4}")
DEEPEST = 8


def parse(encoded: str) -> dict[str, Any]:
    """Return the nested dicts, lists and strings of a query or body."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _place(tree, _path(name), value, name=name)
    return {key: _lists(branch) for key, branch in tree.items()}


def _path(name: str) -> list[str]:
    head, bracket, _ = name.partition("[")
    path = [head, *PART.findall(name)] if bracket else [head]
    if len(path) > DEEPEST:
        raise invalid(f"Invalid hash: {head} is nested too deeply.", param=head)
    return path


def _place(tree: dict[str, Any], path: list[str], value: str, *, name: str) -> None:
    for depth, part in enumerate(path):
        if part == "":
            part = str(len(tree))
        if depth == len(path) - 1:
            tree[part] = value
            return
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            raise invalid(f"Invalid hash: {name}", param=path[0])
        tree = branch


def _lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    if branch and all(INDEX.fullmatch(key) for key in branch):
        return [_lists(branch[key]) for key in sorted(branch, key=int)]
    return {key: _lists(value) for key, value in branch.items()}
