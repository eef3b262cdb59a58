"""OpenAI's attribute filters as search filters. Pure.

The index asks for all of a request's conditions at once, each over an indexed field. What a tree of `and` and `or`
says beyond that is refused by name, rather than answered a little wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from pipelines.retrieval.schema import Moment, SearchFilters, Text
from pipelines.validation import first_problem

FIELDS = {"source": "sources", "connection": "connections", "unit": "units", "kind": "kinds", "author": "authors"}
"""Attributes with one value per document, and the filter of each."""
LISTS = {"parents": ("parents_in", "parents_not"), "tags": ("tags_in", "tags_not")}
"""Attributes with many, and the filters that ask for and against them."""
TIME = "updated_at"
KEYS = (*FIELDS, *LISTS, TIME)
DEEPEST = 8
"""Levels of filters within filters."""

NOTHING = SearchFilters(updated_after=datetime(2000, 1, 1, tzinfo=UTC), updated_before=datetime(1970, 1, 1, tzinfo=UTC))
"""What no document meets: the index knows an empty list as no condition."""

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_TICK = timedelta(microseconds=1)
Scalar: TypeAlias = StrictBool | Annotated[float, Field(strict=True, allow_inf_nan=False)] | Text


class _FilterModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_FilterModel):
    """A condition on one attribute of a document."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: Text = Field(description=f"One of {', '.join(KEYS)}")
    value: Scalar | list[Scalar] = Field(
        description=f"Text; a list of texts for `in` and `nin`; for `{TIME}` seconds since 1970 or an ISO 8601 time"
    )


class Compound(_FilterModel):
    """Conditions that all hold; or with `or`, values of one attribute of which any holds."""

    type: Literal["and", "or"]
    filters: list[Annotated[Comparison | Compound, Field(discriminator="type")]] = Field(min_length=1, max_length=100)


def _limit_depth(value: Any) -> Any:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level if isinstance(one, dict) for inner in _inside(one)]
        if not level:
            return value
    raise ValueError(f"may be nested at most {DEEPEST} deep")


def _inside(value: dict[str, Any]) -> list[Any]:
    inner = value.get("filters")
    return inner if isinstance(inner, list) else []


AttributeFilter: TypeAlias = Annotated[
    Annotated[Comparison | Compound, Field(discriminator="type")], BeforeValidator(_limit_depth)
]


class FilterError(ValueError):
    """`where` is the place in the request: `filters.filters.0.key`."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(problem)


@dataclass
class _Conditions:
    """What a tree of filters asks for. `places` says where in the request each filter was asked for."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    nothing_fits: bool = False


def search_filters(tree: Comparison | Compound | None) -> SearchFilters:
    """The filters that a tree stands for. Raises FilterError."""
    asked = _Conditions()
    for where, comparison in _conjunction(tree, "filters") if tree else ():
        _gather(asked, where, comparison)
    if asked.nothing_fits:
        return NOTHING
    try:
        return SearchFilters(**asked.values)
    except ValidationError as error:
        where, what = first_problem(error)
        raise FilterError(f"{asked.places[where.partition('.')[0]]}.value", what) from None


def _conjunction(tree: Comparison | Compound, where: str) -> Iterator[tuple[str, Comparison]]:
    """The comparisons that must all hold."""
    if isinstance(tree, Comparison):
        yield where, tree
    elif tree.type == "and":
        for number, inner in enumerate(tree.filters):
            yield from _conjunction(inner, f"{where}.filters.{number}")
    else:
        yield where, _any_of(tree, where)


def _any_of(tree: Compound, where: str) -> Comparison:
    """An `or` as one `in`."""
    joined: list[Comparison] = []
    for number, inner in enumerate(tree.filters):
        place = f"{where}.filters.{number}"
        one = _any_of(inner, place) if isinstance(inner, Compound) and inner.type == "or" else inner
        if not isinstance(one, Comparison) or one.type not in ("eq", "in") or one.key != (joined or [one])[0].key:
            raise FilterError(place, "`or` can join `eq` and `in` of one attribute only")
        _check_key(one, place)
        joined.append(one)
    values = [value for number, one in enumerate(joined) for value in _texts(one, f"{where}.filters.{number}")]
    return Comparison(type="in", key=joined[0].key, value=values)


def _check_key(one: Comparison, where: str) -> None:
    if one.key not in KEYS:
        raise FilterError(f"{where}.key", f"unknown attribute: must be one of {', '.join(KEYS)}")


def _gather(asked: _Conditions, where: str, one: Comparison) -> None:
    _check_key(one, where)
    if one.key == TIME:
        _gather_time(asked, where, one)
    elif one.key in FIELDS:
        _gather_field(asked, where, one)
    else:
        _gather_list(asked, where, one)


def _gather_field(asked: _Conditions, where: str, one: Comparison) -> None:
    name, values = FIELDS[one.key], _texts(one, where)
    if one.type not in ("eq", "in"):
        raise FilterError(f"{where}.type", f"{one.key} takes `eq` and `in`")
    before = asked.values.get(name)
    both = values if before is None else [value for value in before if value in values]
    asked.values[name], asked.places[name] = both, where
    asked.nothing_fits |= not both


def _gather_list(asked: _Conditions, where: str, one: Comparison) -> None:
    wanted, unwanted = LISTS[one.key]
    values = _texts(one, where)
    if one.type in ("ne", "nin"):
        asked.values[unwanted] = [*asked.values.get(unwanted, []), *values]
    elif one.type not in ("eq", "in"):
        raise FilterError(f"{where}.type", f"{one.key} takes `eq`, `in`, `ne` and `nin`")
    elif wanted in asked.values:
        raise FilterError(where, f"{one.key} can be asked for once; list what may match with `in`")
    else:
        asked.values[wanted] = values


def _gather_time(asked: _Conditions, where: str, one: Comparison) -> None:
    """`updated_after` is inclusive and `updated_before` exclusive, so `gt` and `lte` move by the least there is."""
    moment = _moment(one, where)
    if one.type not in ("gt", "gte", "lt", "lte"):
        raise FilterError(f"{where}.type", f"{TIME} takes `gt`, `gte`, `lt` and `lte`")
    name, stricter = ("updated_after", max) if one.type in ("gt", "gte") else ("updated_before", min)
    try:
        bound = moment + _TICK if one.type in ("gt", "lte") else moment
    except OverflowError:
        raise FilterError(f"{where}.value", "must be between the years 1 and 9999 in UTC") from None
    asked.values[name] = stricter(asked.values.get(name, bound), bound)


def _texts(one: Comparison, where: str) -> list[str]:
    listed = one.type in ("in", "nin")
    if listed != isinstance(one.value, list):
        raise FilterError(f"{where}.value", "`in` and `nin` take a list, the others take one value")
    values: Sequence[Any] = one.value if isinstance(one.value, list) else [one.value]
    if not values or not all(isinstance(value, str) for value in values):
        raise FilterError(f"{where}.value", f"{one.key} takes text" + (", at least one" if listed else ""))
    return list(values)


def _moment(one: Comparison, where: str) -> datetime:
    try:
        if isinstance(one.value, str):
            return _MOMENT.validate_python(one.value)
        if isinstance(one.value, float) and not isinstance(one.value, bool):
            return datetime.fromtimestamp(one.value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise FilterError(f"{where}.value", f"{TIME} takes seconds since 1970, or an ISO 8601 time")
