"""Reading one object of an answer, and keeping one that is odd from costing the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, PrivateAttr, ValidationError

from connectors.payloads import LenientPayload, describe_fault

M = TypeVar("M", bound=BaseModel)


class NotAsDocumented(ValueError):
    """What was sent is not what GitHub's documentation promises."""


def parse(model: type[M], value: Any) -> M:
    """An object of an answer. Raises NotAsDocumented."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        reason = model.nameless if issubclass(model, ListedObject) else describe_fault(error)
        raise NotAsDocumented(reason) from None  # pydantic's own message quotes the contents


def parse_time(value: str | None) -> datetime | None:
    """A time as GitHub writes it: `2026-01-02T03:04:05Z`. Raises NotAsDocumented."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise NotAsDocumented("a time that is none") from None  # Python's own message quotes it
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def time_or_none(value: str | None) -> datetime | None:
    """A time; None where there is none, or it is not written as one."""
    try:
        return parse_time(value)
    except ValueError:
        return None


class ListedObject(LenientPayload):
    """One of a listing, which must not cost the others: it is read without its wrong fields, and remembers them."""

    nameless: ClassVar[str]
    """Says of an object that the field is missing by which it is known."""
    _fault: str = PrivateAttr("")

    def require_sound(self) -> None:
        """Raises NotAsDocumented if a field is missing here because it was wrong."""
        if self._fault:
            raise NotAsDocumented(self._fault)

    def _note_fault(self, error: ValidationError) -> None:
        self._fault = describe_fault(error)
