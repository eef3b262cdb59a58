"""Titles that a text shows of other pages, without those that some of its readers may not see. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from connectors.notion.content import PageContent
from connectors.notion.objects import UNTITLED, Kind, Ref
from connectors.notion.payloads import RichTextRun
from connectors.notion.render.blocks import BlockTree

T = TypeVar("T")

Hides: TypeAlias = Callable[[Ref], bool]
"""Whether some readers of the text may not see this page or database."""


_MENTIONED: Mapping[str, Kind] = {"page": "page", "database": "database"}
"""By the types of mentions."""
_BELOW: Mapping[str, Kind] = {"child_page": "page", "child_database": "database"}
"""By the types of blocks."""


def without_hidden_titles(content: PageContent, hides: Hides) -> PageContent:
    """Pages below a page, and pages that are mentioned in its text, properties and comments, are untitled."""
    blocks = tuple(_without_title(block, hides) for block in content.blocks)
    return PageContent(without_mentions(content.page, hides), blocks, without_mentions(content.comments, hides))


def without_mentions(value: T, hides: Hides) -> T:
    """A payload, or a tuple or mapping of them, in which pages that are mentioned are untitled."""
    found: Any = value
    if isinstance(value, RichTextRun):
        found = value.model_copy(update={"plain_text": UNTITLED}) if _is_hidden(value, hides) else value
    elif isinstance(value, tuple):
        found = tuple(without_mentions(one, hides) for one in value)
    elif isinstance(value, Mapping):
        found = {name: without_mentions(one, hides) for name, one in value.items()}
    elif isinstance(value, BaseModel):
        found = value.model_copy(update={name: without_mentions(one, hides) for name, one in value})
    return cast(T, found)


def _is_hidden(run: RichTextRun, hides: Hides) -> bool:
    kind, target = _MENTIONED.get(run.body.type), run.body.target.id
    return kind is not None and bool(target) and hides(Ref(kind, target))


def _without_title(tree: BlockTree, hides: Hides) -> BlockTree:
    block = without_mentions(tree.block, hides)
    kind = _BELOW.get(block.type)
    if kind and hides(Ref(kind, block.id)):
        block = block.model_copy(update={"content": block.content.model_copy(update={"title": UNTITLED})})
    return replace(tree, block=block, children=tuple(_without_title(one, hides) for one in tree.children))
