"""Drive's query language and field masks, as far as they are documented and asked here.

https://developers.google.com/workspace/drive/api/guides/ref-search-terms
https://developers.google.com/workspace/drive/api/guides/fields-parameter
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

Payload: TypeAlias = dict[str, Any]
Predicate: TypeAlias = Callable[[Payload], bool]

_TOKEN = re.compile(r"\s*(\(|\)|'(?:[^'\\]|\\.)*'|<=|>=|!=|[<>=]|[A-Za-z.]+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class BadQuery(Exception):
    """Google answers 400 to it."""


@lru_cache(maxsize=1_000)
def predicate(query: str) -> Predicate:
    """A query as a test of a file. Raises BadQuery."""
    tokens = _TOKEN.findall(query)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", query):
        raise BadQuery(query)
    if not tokens:
        return lambda file: True
    found, rest = _either(tokens)
    if rest:
        raise BadQuery(query)
    return found


def _either(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, tokens = _both(tokens)
    while tokens[:1] == ["or"]:
        right, tokens = _both(tokens[1:])
        left = _or(left, right)
    return left, tokens


def _both(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, tokens = _one(tokens)
    while tokens[:1] == ["and"]:
        right, tokens = _one(tokens[1:])
        left = _and(left, right)
    return left, tokens


def _one(tokens: list[str]) -> tuple[Predicate, list[str]]:
    match tokens:
        case ["(", *inside]:
            found, rest = _either(inside)
            if rest[:1] != [")"]:
                raise BadQuery("unbalanced brackets")
            return found, rest[1:]
        case ["'me'", "in", "owners", *rest]:
            return lambda file: bool(file.get("ownedByMe")), rest
        case [value, "in", "parents", *rest]:
            parent = _text(value)
            return lambda file: parent in (file.get("parents") or ()), rest
        case ["trashed", "=", "true" | "false" as value, *rest]:
            wanted = value == "true"
            return lambda file: bool(file.get("trashed")) == wanted, rest
        case ["mimeType" | "createdTime" | "modifiedTime" | "name" as name, sign, value, *rest] if sign in _COMPARE:
            compared, text = _COMPARE[sign], _text(value)
            return lambda file: compared(file[name], text), rest
    raise BadQuery(" ".join(tokens[:4]))


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda file: left(file) and right(file)


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda file: left(file) or right(file)


def _text(token: str) -> str:
    if token[:1] != "'":
        raise BadQuery(token)
    return re.sub(r"\\(.)", r"\1", token[1:-1])


Mask: TypeAlias = dict[str, "Mask"]
"""Names of fields, and the mask inside each; an empty one takes in everything."""


@lru_cache(maxsize=200)
def mask(fields: str) -> Mask:
    """`a,b(c,d)` as {"a": {}, "b": {"c": {}, "d": {}}}."""
    root: Mask = {}
    open_masks, last = [root], root
    for token in re.findall(r"[A-Za-z0-9*]+|[(),]", fields):
        if token == "(":
            open_masks.append(last)
        elif token == ")":
            open_masks.pop()
        elif token != ",":
            last = open_masks[-1].setdefault(token, {})
    return root


def shown(value: Any, within: Mask) -> Any:
    """What a mask lets through."""
    if not within or "*" in within:
        return value
    if isinstance(value, list):
        return [shown(one, within) for one in value]
    return {name: shown(value[name], inside) for name, inside in within.items() if value.get(name) is not None}
