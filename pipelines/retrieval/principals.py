"""Who asks, as reader tokens: a document is visible to them if it carries one of these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from connectors.addresses import find_address
from connectors.model import PUBLIC
from connectors.registry import address_tokens
from pipelines.index.contract import Filters, IndexReader
from pipelines.settings import Settings


class MembershipReader(Protocol):
    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to."""


def person_tokens(email: str, settings: Settings, memberships: MembershipReader) -> tuple[str, ...]:
    """Reader tokens of a person: everybody's, their own, their groups', and those that their address alone gives."""
    address = find_address(email) or email  # what is no address is refused where it is named; no document bears it
    return _token_set((PUBLIC, *_address_tokens(address, settings), *memberships.groups_of(address)))


def is_known(address: str, tokens: Iterable[str], settings: Settings, index: IndexReader, dimensions: int) -> bool:
    """Whether any source knows a person who has these tokens: by a membership, or as a reader of some document.

    Who is not known finds what everybody may see, and nothing tells that from there being no more.
    """
    own = _address_tokens(address, settings)
    if set(tokens) - {PUBLIC, *own}:
        return True
    anywhere = [dimensions**-0.5] * dimensions  # any vector will do: the filter decides
    return bool(index.search(mode="dense", text="", dense=anywhere, filters=Filters(readers=own), limit=1))


def service_tokens(readers: Iterable[str]) -> tuple[str, ...]:
    """Reader tokens of a service: everybody's, and what the settings grant it."""
    return _token_set((PUBLIC, *readers))


def _address_tokens(address: str, settings: Settings) -> tuple[str, ...]:
    """What an address gives its holder without a membership: their own token, and those of their domain."""
    by_source = (token for one in settings.connections for token in address_tokens(one, address))
    return (f"user:{address}", *by_source)


def _token_set(tokens: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tokens)))
