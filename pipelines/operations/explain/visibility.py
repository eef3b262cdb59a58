"""Whether a person sees a document, and through what. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.model import PUBLIC
from connectors.registry import sources

Way: TypeAlias = Literal["public", "direct", "domain", "group"]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader token, told for people: `name` is the person's address, the domain, or the group's name."""

    token: str
    way: Way
    name: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether a person sees the published document: `through` which of their tokens, or else `why_not`."""

    user: str
    sees: bool
    through: tuple[Reader, ...]
    why_not: str = ""


def sight(user: str, tokens: Sequence[str], readers: Sequence[Reader], *, published: bool) -> Sight:
    """What the index's filter decides: a document is seen by whoever holds one of its reader tokens."""
    through = tuple(reader for reader in readers if reader.token in tokens)
    if through:
        return Sight(user, True, through)
    if not published:
        return Sight(user, False, (), "nothing of it is published")
    if not readers:
        return Sight(user, False, (), "it has no readers: only an administrator sees it")
    return Sight(user, False, (), "neither they nor one of their groups is among its readers")


def reader(token: str, units: Mapping[tuple[str, str], str]) -> Reader:
    """`units` holds names by connection and unit: a private channel or repository is a group with its unit's id."""
    if token == PUBLIC:
        return Reader(token, "public", "everybody")
    kind, _, rest = token.partition(":")
    if kind == "user":
        return Reader(token, "direct", rest)
    connection, _, group = rest.partition(":")
    for source in sources().values():
        if domain := source.group_domain(group):
            return Reader(token, "domain", domain)
    return Reader(token, "group", units.get((connection, group)) or f"{group} of {connection}")
