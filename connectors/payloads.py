"""The models that providers' answers are read into, as far as they are read at all."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator


class Payload(BaseModel):
    """A part of an answer: null is the same as absent, and a number as its digits. What is not named is ignored."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, values: Any) -> Any:
        if not isinstance(values, dict) or None not in values.values():  # most have none, and need no copy
            return values
        return {name: value for name, value in values.items() if value is not None}


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
        return read({name: value for name, value in values.items() if name not in wrong})
