"""The models that providers' answers are read into, as far as they are read at all: object by object, leniently.

A model is a `Payload`, whose fields have to be as documented, or a `LenientPayload`, which does without those that are
not. The kinds of fields below never cost their object, in either: what cannot be their value is their default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    OnErrorOmit,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

T = TypeVar("T")


class Payload(BaseModel):
    """A part of an answer: null is the same as absent, and a number as its digits. What is not named is ignored.

    A list without a default is what the answer is about: one that lacks it, or has null in its place, is no listing.
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, values: Any) -> Any:
        if not isinstance(values, dict) or None not in values.values():  # most have none, and need no copy
            return values
        # Only what is read: objects of GitHub have up to a hundred fields.
        found = {name: value for name in _names_of_fields(cls) if (value := values.get(name)) is not None}
        return found | {name: None for name in _names_of_lists(cls) if name in values and values[name] is None}


class LenientPayload(Payload):
    """One of many alike: a field with what cannot be its value is left out, so that one does not cost the others.

    Not for envelopes: a page whose list is no list is no page, and must not be read as an empty one.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _drop_wrong_values(cls, values: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return read(values)
        except ValidationError as error:
            wrong = {str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"]}
            if not isinstance(values, dict) or not wrong:
                raise
            found = read({name: value for name, value in values.items() if name not in wrong})
            found._note_fault(error)
            return found

    def _note_fault(self, error: ValidationError) -> None:
        """For models that remember what was wrong with them."""


@dataclass(frozen=True, slots=True)
class OrElse:
    """Beside a field's type: what the field is where its value is none of that type."""

    default: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.default, on_error="default")


@dataclass(frozen=True, slots=True)
class _AnyString:
    """Beside `str`: takes half a surrogate pair as well, which JSON can hold and pydantic's own `str` refuses."""

    numbers: bool

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        string = core_schema.is_instance_schema(str)
        if not self.numbers:
            return string
        digits = core_schema.str_schema(coerce_numbers_to_str=True)
        return core_schema.union_schema([string, digits], mode="left_to_right")


@dataclass(frozen=True, slots=True)
class _NotNull:
    """Beside a field's type: null is not the same as absent."""


_LISTED = _NotNull()


def _require_any(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    found = read(value)
    if value and not found:
        raise PydanticCustomError("unreadable_list", "No entry is as documented")
    return found


ExactText: TypeAlias = Annotated[str, _AnyString(numbers=False)]
"""A string and nothing else: the one kind here that is not lenient, for what nobody should miss."""
Text: TypeAlias = Annotated[str, _AnyString(numbers=True), OrElse("")]
"""A string, or a number as its digits; else empty."""
Flag: TypeAlias = Annotated[bool | None, OrElse(True)]
"""True or false; null is None, and anything else counts as true."""
Number: TypeAlias = Annotated[int | None, OrElse(None)]
"""A whole number; else None."""
Maybe: TypeAlias = Annotated[T | None, OrElse(None)]
"""An object; None where it is not as documented."""
Entries: TypeAlias = tuple[OnErrorOmit[T], ...]
"""Those entries of a list that are as documented. Not lenient where there is no list: for envelopes."""
Listing: TypeAlias = Annotated[Entries[T], WrapValidator(_require_any)]
"""The list that an answer is about: its entries that are as documented. One of which none is, says nothing."""
Listed: TypeAlias = Annotated[tuple[T, ...], _LISTED]
"""The list that an answer is about, which a provider leaves out where it is empty: null is no list."""
Several: TypeAlias = Annotated[Entries[T], OrElse(())]
"""Those entries of a list that are as documented; none where there is no list."""


@cache
def _names_of_fields(payload: type[Payload]) -> frozenset[str]:
    fields = payload.model_fields
    aliases = {alias for field in fields.values() if isinstance(alias := field.validation_alias, str)}
    return frozenset(fields) | aliases


@cache
def _names_of_lists(payload: type[Payload]) -> frozenset[str]:
    """Of those that are `Listed`."""
    fields = payload.model_fields.items()
    listed = [(name, one.validation_alias) for name, one in fields if _LISTED in one.metadata]
    return frozenset(name for names in listed for name in names if isinstance(name, str))


def describe_fault(error: ValidationError) -> str:
    """What is wrong with a payload, field by field, on one line and without its contents."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {_kind_of_fault(one)}" for one in found)


def _kind_of_fault(one: ErrorDetails) -> str:
    # What raised a ValueError of its own may have quoted the value.
    return "Input is malformed" if one["type"] == "value_error" else one["msg"]
