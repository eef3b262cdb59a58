"""What GitHub shows of an issue beside its labels: its type, the values of its fields, its place among others.

https://docs.github.com/en/rest/issues/issues#get-an-issue
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from connectors.payloads import ExactText, Maybe, Number, Payload, Several, Text


class NamedObject(Payload):
    """A label, a type, an option, a team: anything that people know by its name."""

    name: Text = ""


NameOrObject: TypeAlias = Annotated[NamedObject | ExactText, Field(union_mode="left_to_right")]
"""Old servers give names, newer ones objects."""


def names_of(found: Iterable[NamedObject | str]) -> tuple[str, ...]:
    names = (one if isinstance(one, str) else one.name for one in found)
    return tuple(name for name in names if name)


_Values: TypeAlias = Annotated[
    Several[Text], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]


class IssueFieldValue(Payload):
    """A value of one of an organisation's issue fields.

    `value` is a text, a number or a date; for a field of options, these tell it, and `value` may be an option's id.
    """

    issue_field_name: Text = ""
    value: _Values = ()
    single_select_option: Maybe[NameOrObject] = None
    multi_select_options: Several[NameOrObject] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        single = (self.single_select_option,) if self.single_select_option else ()
        return names_of((*single, *self.multi_select_options)) or names_of(self.value)


class SubIssuesSummary(Payload):
    total: Number = None
    completed: Number = None


class DependenciesSummary(Payload):
    """How many open issues it waits for (`blocked_by`), and how many wait for it; `total_` counts closed ones, too."""

    blocked_by: Number = None
    blocking: Number = None
