"""Kinds of fields for providers' payloads that never cost their object: what cannot be their value is their default.

Any other type of a field has to be as documented, or pydantic's ValidationError names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import GetCoreSchemaHandler, OnErrorOmit, ValidationError
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OrElse:
    """Beside a field's type: what the field is where its value is null, or none of that type."""

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
Several: TypeAlias = Annotated[tuple[OnErrorOmit[T], ...], OrElse(())]
"""Those elements of a list that are as documented."""


def describe_fault(error: ValidationError) -> str:
    """What is wrong with a payload, field by field, on one line and without its contents."""
    found = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
    return "; ".join(found)
