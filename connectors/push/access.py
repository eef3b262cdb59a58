"""Who may read what: as it is said where a document is pushed, and by groups in the settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from connectors.addresses import InvalidAddress, normalize_address
from connectors.contract import EmptyGroup, Membership, MembershipItem
from connectors.model import PUBLIC, group_token

_OTHER_GROUP = re.compile(r"group:[a-z0-9][a-z0-9-]*:\S(.*\S)?")
"""As documents of any connection bear it: `headrace explain` shows whose readers a document's are."""


class InvalidReader(ValueError):
    """Why a text names no reader, and what to write."""


def reader_token(connection: str, groups: Collection[str], reader: str) -> str:
    """`groups` are the names of the connection's own. Raises InvalidReader."""
    if reader == PUBLIC or _OTHER_GROUP.fullmatch(reader):
        return reader
    kind, colon, name = reader.partition(":")
    if kind == "group" and colon:
        if name not in groups:
            known = f"its groups are {', '.join(sorted(groups))}" if groups else "the connection has no `groups`"
            raise InvalidReader(f"is no group that is known: {known}")
        return group_token(connection, name)
    try:
        return f"user:{normalize_address(name if kind == 'user' and colon else reader)}"
    except InvalidAddress:
        raise InvalidReader("must be an e-mail address, public, group:<name> or group:<connection>:<id>") from None


def memberships(groups: Mapping[str, Iterable[str]]) -> Iterator[MembershipItem]:
    """Who belongs to the groups of the settings."""
    for group, members in groups.items():
        people = list(dict.fromkeys(members))
        yield from (Membership(group, address) for address in people)
        if not people:
            yield EmptyGroup(group)
