"""Whether a person sees a document, and what grants it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from connectors.model import PUBLIC
from connectors.registry import Source

Grant: TypeAlias = Literal["public", "direct", "domain", "group"]
"""How a reader token gives access: to everybody, to an address, to the people of a domain, or to a group's members."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader token as people read it: `name` is the person's address, the domain, or the group's name."""

    token: str
    grant: Grant
    name: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whether a person sees the published document: `through` which of their tokens, or else `why_not`."""

    user: str
    sees: bool
    through: tuple[Reader, ...]
    why_not: str = ""


def visibility(
    user: str, tokens: Sequence[str], readers: Sequence[Reader], *, published: bool, unreadable: Mapping[str, str]
) -> Visibility:
    """What the index's filter decides: a person sees a document if they hold one of its reader tokens.

    `unreadable` says, by the tokens of groups, why it cannot be read who belongs to them.
    """
    through = tuple(reader for reader in readers if reader.token in tokens)
    if through:
        return Visibility(user, True, through)
    if not published:
        return Visibility(user, False, (), "nothing of it is published")
    if not readers:
        return Visibility(user, False, (), "it has no readers: only an administrator sees it")
    untold = [
        f"who belongs to {one.name} cannot be read: {unreadable[one.token]}"
        for one in readers
        if one.token in unreadable
    ]
    neither = "neither they nor one of their groups is among its readers"
    return Visibility(user, False, (), "; ".join([neither, *untold]))


def reader(
    token: str,
    units: Mapping[tuple[str, str], str],
    sources: Mapping[str, Source[Any]],
    groups: Mapping[str, str] = MappingProxyType({}),
) -> Reader:
    """What a token stands for.

    `units` holds names by connection and unit: a private unit is a group with the unit's id. `sources` holds the
    source of each connection of the settings; a token may name one that has been removed from them. `groups` holds the
    names that sources tell, by token.
    """
    if token == PUBLIC:
        return Reader(token, "public", "everybody")
    kind, _, rest = token.partition(":")
    if kind == "user":
        return Reader(token, "direct", rest)
    connection, _, group = rest.partition(":")
    domain = sources[connection].group_domain(group) if connection in sources else ""
    if domain:
        return Reader(token, "domain", domain)
    return Reader(token, "group", units.get((connection, group)) or groups.get(token) or f"{group} of {connection}")
