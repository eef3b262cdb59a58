"""Block Kit as it came. https://docs.slack.dev/reference/block-kit"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator

from connectors.slack.payloads.fields import count


@dataclass(frozen=True, slots=True)
class BlockNode:
    """A block, element or text object of Block Kit. https://docs.slack.dev/reference/block-kit

    The format is recursive and open, and what is not known of it is rendered too: so it stays as it came, and this
    gives access to it.
    """

    _json: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.string("type")

    def __iter__(self) -> Iterator[str]:
        """The names of its fields, as they came."""
        return iter(self._json)

    def string(self, name: str) -> str:
        """A field as text; empty for one that is not there."""
        return str(self._json.get(name) or "")

    def count(self, name: str) -> int:
        return count(self._json.get(name))

    def value(self, name: str) -> BlockValue:
        """A field, whatever it holds."""
        return _block_value(self._json.get(name))

    def nodes(self, name: str = "elements") -> list[BlockNode]:
        """The objects of a list."""
        return _nodes(self._json.get(name))


BlockValue: TypeAlias = "str | int | float | list[BlockValue] | BlockNode | None"


def _block_value(value: Any) -> BlockValue:
    if isinstance(value, dict):
        return BlockNode(value)
    if isinstance(value, list):
        return [_block_value(entry) for entry in value]
    found: str | int | float | None = value
    return found


def parse_blocks(value: Any) -> tuple[BlockNode, ...]:
    """The objects of a list; none where it is no list."""
    return tuple(_nodes(value))


def _nodes(value: Any) -> list[BlockNode]:
    return [BlockNode(entry) for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


Blocks: TypeAlias = Annotated[tuple[BlockNode, ...], PlainValidator(parse_blocks)]
