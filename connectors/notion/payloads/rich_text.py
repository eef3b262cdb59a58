"""https://developers.notion.com/reference/rich-text"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from pydantic import TypeAdapter, model_validator

from connectors.notion.payloads.fields import OneOrMore, fields_of
from connectors.payloads import LenientPayload


class MentionTarget(LenientPayload):
    """What a mention says of itself: a page's id, a person's name, a date, the title or address of a link."""

    id: str = ""
    start: str = ""
    end: str = ""
    name: str = ""
    title: str = ""
    url: str = ""
    href: str = ""


class RunBody(LenientPayload):
    """The part of a run that is its kind's own: a text's `content`, an equation's `expression`, a mention's target."""

    type: str = ""
    content: str = ""
    expression: str = ""
    target: MentionTarget = MentionTarget()

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        return {**values, "target": fields_of(values.get(str(values.get("type"))))}


class RichTextRun(LenientPayload):
    """A stretch of text that looks the same. `plain_text` is None where the server leaves it out.

    Its annotations are fields of the run itself: runs are many, and a model of their own would double what they cost.
    """

    type: str = ""
    plain_text: str | None = None
    href: str = ""
    bold: bool = False
    italic: bool = False
    strikethrough: bool = False
    code: bool = False
    body: RunBody = RunBody()

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        kind = values.get("type")
        run = {**fields_of(values.get("annotations")), **values}
        if kind == "mention" or not isinstance(values.get("plain_text"), str):
            run["body"] = fields_of(values.get(str(kind)))  # of other runs it would say the same
        return run

    @property
    def text(self) -> str:
        """`plain_text`, which every kind of run has; else what the run's own kind holds."""
        target = self.body.target
        text = target.title if self.body.type == "link_mention" else ""  # its `plain_text` is the address
        text = text or (self._own_text() if self.plain_text is None else self.plain_text)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _own_text(self) -> str:
        target = self.body.target
        span = f"{target.start} → {target.end}" if target.start and target.end else target.start
        named = span or target.name or target.title or target.url or target.href
        return self.body.content or self.body.expression or named


RichText: TypeAlias = OneOrMore[RichTextRun]

RICH_TEXT: TypeAdapter[tuple[RichTextRun, ...]] = TypeAdapter(RichText)


def plain(rich_text: Iterable[RichTextRun]) -> str:
    """The text alone."""
    return "".join(run.text for run in rich_text)
