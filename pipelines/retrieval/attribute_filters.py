"""OpenAI's attribute filters as conditions of the index. Pure but for the values that are looked up.

All comparisons of https://platform.openai.com/docs/guides/retrieval#attribute-filtering, joined by `and` and `or` as
deep as people write them. What a value means is looked up as for every other filter: a value that does not exist is an
error that lists near ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from pipelines.index.conditions import Alternatives, AnyOf, Conditions, TimeRange
from pipelines.retrieval.filter_values import FilterValues, UnknownValue
from pipelines.retrieval.schema import AskedSource, Moment, Text
from pipelines.validation import first_problem

NAMED = ("connection", "unit", "kind", "author", "parents", "tags")
"""Attributes whose values are looked up; the last two have many for each document."""
SOURCE = "source"
ALIASES = {"unit_name": "unit"}
"""Attributes of results that are looked up as another one."""
TIMES = ("created_at", "updated_at")
KEYS = (SOURCE, *NAMED, *ALIASES, "title", "url", *TIMES)
DEEPEST = 8
"""Levels of filters within filters."""

_NOTHING = Conditions(must=(AnyOf("document_id", ("",)),))
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_SOURCE: TypeAdapter[str] = TypeAdapter(AskedSource)
_TICK = timedelta(microseconds=1)
Scalar: TypeAlias = StrictBool | Annotated[float, Field(strict=True, allow_inf_nan=False)] | Text


class _FilterModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_FilterModel):
    """A condition on one attribute of a document."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: Text = Field(description=f"One of {', '.join(KEYS)}")
    value: Scalar | list[Scalar] = Field(
        description="Text; for times seconds since 1970 or an ISO 8601 time; for `in` and `nin` a list of them"
    )


class Compound(_FilterModel):
    """Conditions that all hold, or with `or` of which any holds."""

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


@dataclass(frozen=True, slots=True)
class AttributeConditions:
    """Translates filters for somebody for whom `values` looks up what filters mean."""

    values: FilterValues

    def of(self, tree: Comparison | Compound, where: str = "filters") -> Conditions:
        """Raises FilterError."""
        if isinstance(tree, Comparison):
            return self._comparison(tree, where)
        each = [self.of(inner, f"{where}.filters.{number}") for number, inner in enumerate(tree.filters)]
        if tree.type == "or":
            return Conditions(must=(Alternatives(tuple(each)),))
        must = tuple(condition for one in each for condition in one.must)
        return Conditions(must, tuple(condition for one in each for condition in one.must_not))

    def _comparison(self, one: Comparison, where: str) -> Conditions:
        if one.key not in KEYS:
            raise FilterError(f"{where}.key", f"unknown attribute: must be one of {', '.join(KEYS)}")
        if one.key in TIMES and one.type in _BOUNDS:
            return Conditions(must=(_bounded(one, where),))
        if one.type in _BOUNDS:
            raise FilterError(f"{where}.type", f"{one.key} takes `eq`, `ne`, `in` and `nin`")
        held = self._any_of(one.model_copy(update={"key": ALIASES.get(one.key, one.key)}), where)
        return Conditions(must_not=(held,)) if one.type in ("ne", "nin") else held

    def _any_of(self, one: Comparison, where: str) -> Conditions:
        """That the attribute is one of the values."""
        if one.key in TIMES:
            moments = [_moment(value, one.key, where) for value in _values(one, where)]
            each = tuple(Conditions(must=(_range(one.key, moment, moment + _TICK),)) for moment in moments)
            return Conditions(must=(Alternatives(each),))
        field, found = self._found(one, where)
        return Conditions(must=(AnyOf(field, tuple(dict.fromkeys(found))),)) if found else _NOTHING

    def _found(self, one: Comparison, where: str) -> tuple[str, Sequence[str]]:
        """The field of the index to ask, and its values. Those to be excluded need not exist."""
        texts, is_needed = list(_texts(one, where)), one.type in ("eq", "in")
        if one.key == "url":
            return "document_id", self.values.documents_at(texts)
        if one.key == "title":
            return "document_id", self.values.documents_titled(texts)
        if one.key == SOURCE:
            return one.key, [_source(text, where) for text in texts] if is_needed else texts
        try:
            return one.key, [own for text in texts for own in self._meant(one.key, text, where, is_needed=is_needed)]
        except UnknownValue as unknown:
            raise FilterError(f"{where}.value", str(unknown)) from None

    def _meant(self, key: str, text: str, where: str, *, is_needed: bool) -> Sequence[str]:
        """The index's values. Documents whose author nobody knows have an empty one, as results show it."""
        if key == "author" and not text:
            return ("",)
        return self.values.find(key, text, where, is_needed=is_needed)


_BOUNDS = ("gt", "gte", "lt", "lte")


def _bounded(one: Comparison, where: str) -> TimeRange:
    """A range has its start in it and not its end, so `gt` and `lte` move by the least there is."""
    (value,) = _values(one, where)
    moment = _moment(value, one.key, where)
    try:
        bound = moment + _TICK if one.type in ("gt", "lte") else moment
    except OverflowError:
        raise FilterError(f"{where}.value", "must be between the years 1 and 9999 in UTC") from None
    return _range(one.key, bound, None) if one.type in ("gt", "gte") else _range(one.key, None, bound)


def _range(field: str, start: datetime | None, end: datetime | None) -> TimeRange:
    return TimeRange(field, start.isoformat() if start else None, end.isoformat() if end else None)


def _values(one: Comparison, where: str) -> Sequence[Any]:
    listed = one.type in ("in", "nin")
    if listed != isinstance(one.value, list):
        raise FilterError(f"{where}.value", "`in` and `nin` take a list, the others take one value")
    values: Sequence[Any] = one.value if isinstance(one.value, list) else [one.value]
    if not values:
        raise FilterError(f"{where}.value", "takes at least one value")
    return values


def _texts(one: Comparison, where: str) -> Iterator[str]:
    for value in _values(one, where):
        if not isinstance(value, str):
            raise FilterError(f"{where}.value", f"{one.key} takes text")
        yield value


def _source(text: str, where: str) -> str:
    try:
        return _SOURCE.validate_python(text)
    except ValidationError as error:
        raise FilterError(f"{where}.value", first_problem(error)[1]) from None


def _moment(value: Any, key: str, where: str) -> datetime:
    try:
        if isinstance(value, str):
            return _MOMENT.validate_python(value)
        if isinstance(value, float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise FilterError(f"{where}.value", f"{key} takes seconds since 1970, or an ISO 8601 time")
