"""Who asks, as reader tokens: a document is visible to them if it carries one of these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from connectors.model import PUBLIC, user_token
from connectors.registry import address_tokens
from pipelines.settings import Settings


class MembershipReader(Protocol):
    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to."""


def person_tokens(email: str, settings: Settings, memberships: MembershipReader) -> tuple[str, ...]:
    """Reader tokens of a person: everybody's, their own, their groups', and those that their address alone gives."""
    address = email.strip().lower()
    by_address = (token for one in settings.connections for token in address_tokens(one, address))
    return _token_set((PUBLIC, user_token(address), *memberships.groups_of(address), *by_address))


def service_tokens(readers: Iterable[str]) -> tuple[str, ...]:
    """Reader tokens of a service: everybody's, and what the settings grant it."""
    return _token_set((PUBLIC, *readers))


def _token_set(tokens: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tokens)))
