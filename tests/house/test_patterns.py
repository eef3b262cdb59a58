"""Regular expressions mean the same with each Python from 3.11 on."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import connectors
import pipelines


def test_no_group_is_repeated_possessively() -> None:
    """Before 3.11.5 an iteration that fails half-way keeps what it took: `(?:a-b)++` takes `a-ba-` of `a-ba-c`
    (https://github.com/python/cpython/issues/106052). An atomic group does the same and always did: `(?>(?:a-b)+)`."""
    compiled = {(place, pattern.pattern): pattern for place, pattern in _patterns()}
    assert len(compiled) > 100
    assert [place for (place, _), pattern in compiled.items() if _repeats_a_group(pattern)] == []


@pytest.mark.parametrize(
    ("pattern", "is_one"), [(r"(?:ab)++", True), (r"x(?:a(?:bc)*+)", True), (r"(?>(?:ab)+)a++", False)]
)
def test_what_is_one_is_seen(pattern: str, is_one: bool) -> None:
    assert _repeats_a_group(re.compile(pattern)) is is_one


def _patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for package in (connectors, pipelines):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." in module.name or module.name.endswith((".child", "_child", "__main__")):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


def _repeats_a_group(pattern: re.Pattern[Any]) -> bool:
    return any(_in(_parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))


def _in(parsed: Any) -> Iterator[bool]:
    for operation, arguments in parsed:
        if operation is _constants.POSSESSIVE_REPEAT:
            yield len(arguments[2]) != 1 or arguments[2][0][0] in (_constants.SUBPATTERN, _constants.BRANCH)
        for part in arguments if isinstance(arguments, tuple | list) else (arguments,):
            for inner in part if isinstance(part, list) else (part,):
                if isinstance(inner, _parser.SubPattern):
                    yield from _in(inner)
