"""Reading one object of an answer, and keeping one that is odd from costing the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from connectors.payload_fields import describe_fault

M = TypeVar("M", bound=BaseModel)


class NotAsDocumented(ValueError):
    """What was sent is not what GitHub's documentation promises."""


def parse(model: type[M], value: Any) -> M:
    """An object of an answer. Raises NotAsDocumented."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        if issubclass(model, ListedObject):
            return model.salvage(value, error)
        raise NotAsDocumented(describe_fault(error)) from None  # pydantic's own message quotes the contents


def parse_time(value: str | None) -> datetime | None:
    """A time as GitHub writes it: `2026-01-02T03:04:05Z`. Raises ValueError."""
    if not value:
        return None
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def time_or_none(value: str | None) -> datetime | None:
    """A time; None where there is none, or it is not written as one."""
    try:
        return parse_time(value)
    except ValueError:
        return None


class RestPayload(BaseModel):
    """A part of an answer of the REST API, whose objects have up to a hundred fields of which few are read.

    Null is left to the kind of each field: to copy every object without its nulls, as `connectors.payloads` does for
    smaller ones, costs more than all else that is done to read it.
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class ListedObject(RestPayload):
    """One of a listing, which must not cost the others: it is read without its wrong fields, and remembers them."""

    nameless: ClassVar[str]
    """Says of an object that the field is missing by which it is known."""
    _fault: str = PrivateAttr("")

    @classmethod
    def salvage(cls, value: Any, error: ValidationError) -> Self:
        """The object without what is wrong with it. Raises NotAsDocumented if that is its number or id."""
        wrong = {str(one["loc"][0]) for one in error.errors(include_url=False) if one["loc"]}
        kept = {key: field for key, field in value.items() if key not in wrong} if isinstance(value, dict) else value
        try:
            found = cls.model_validate(kept)
        except ValidationError:
            raise NotAsDocumented(cls.nameless) from None
        found._fault = describe_fault(error)
        return found

    def require_sound(self) -> None:
        """Raises NotAsDocumented if a field is missing here because it was wrong."""
        if self._fault:
            raise NotAsDocumented(self._fault)
