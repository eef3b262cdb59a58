"""Which key of the settings was meant by one that is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from connectors.registry import sources
from connectors.settings import Connection


def near_key(root: type[BaseModel], values: Mapping[str, Any], location: Sequence[int | str]) -> str | None:
    """The known key that is most like the last part of `location`, a path in `values`, which are those of a `root`;
    None if none is like it."""
    models: list[type[BaseModel]] = [root]
    value: Any = values
    for part in location[:-1]:
        value = value[part]
        if isinstance(part, str):
            models = list(_models(_annotations(models, part)))
        if Connection in models and isinstance(value, Mapping):
            models = [sources()[value["source"]].settings]
    known = [key for model in models for key in model.model_fields]
    return next(iter(get_close_matches(str(location[-1]), known, n=1)), None)


def _annotations(models: Sequence[type[BaseModel]], field: str) -> Iterator[Any]:
    yield from (model.model_fields[field].annotation for model in models if field in model.model_fields)


def _models(annotations: Iterator[Any]) -> Iterator[type[BaseModel]]:
    """The models among types and what these consist of, such as X and Y of `tuple[X | Y, ...]`."""
    for one in annotations:
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
        yield from _models(iter(get_args(one)))
