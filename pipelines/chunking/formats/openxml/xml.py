"""Names in Office XML.

Elements are told apart by their local names: Office's transitional and strict files have other namespaces for the same
elements, and names that stand in several of them mean the same (`t` is text in all).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element


def local_name(element: _Element) -> str:
    """An element's name without its namespace."""
    return _without_namespace(element.tag)


@lru_cache(maxsize=4096)
def _without_namespace(tag: object) -> str:
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""  # an entity has no name


def attribute(element: _Element, name: str, default: str = "") -> str:
    """An attribute, in whatever namespace it is."""
    value = element.get(name)
    if value is not None:
        return str(value)
    ending = f"}}{name}"
    return next((str(value) for key, value in element.items() if str(key).endswith(ending)), default)


def whole_number(text: str | None, default: int = 0) -> int:
    """A number that a file gives, from 0 to 999,999,999; `default` for anything else."""
    return int(text) if text and len(text) < 10 and text.isdecimal() else default


def child(element: _Element | None, *path: str) -> _Element | None:
    """The first child of a name, its first child of the next name, and so on; None where there is none."""
    for name in path:
        if element is None:
            return None
        element = element.find(f"{{*}}{name}")
    return element


def child_value(element: _Element | None, *path: str) -> str | None:
    """The attribute `val` of what `child` finds."""
    found = child(element, *path)
    return None if found is None else attribute(found, "val")


def chosen(alternatives: _Element) -> _Element | None:
    """Which of `mc:AlternateContent` to read: what new programs show, else what is there for old ones."""
    choice = alternatives.find("{*}Choice")
    return choice if choice is not None and len(choice) else alternatives.find("{*}Fallback")
