"""Who asks, as reader tokens: what they may see is what carries one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from connectors.drive.access import domain_groups
from connectors.model import PUBLIC, user_token
from pipelines.settings import Settings


class Memberships(Protocol):
    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to."""


def person_tokens(email: str, settings: Settings, memberships: Memberships) -> tuple[str, ...]:
    """Reader tokens of a person: everybody's, their own, their groups', and their domain's in Google Drive."""
    address = email.strip().lower()
    drives = (connection.id for connection in settings.connections if connection.source == "drive")
    domains = (token for drive in drives for token in domain_groups(drive, address))
    return _sorted((PUBLIC, user_token(address), *memberships.groups_of(address), *domains))


def service_tokens(readers: Iterable[str]) -> tuple[str, ...]:
    """Reader tokens of a service: everybody's, and what the settings grant it."""
    return _sorted((PUBLIC, *readers))


def _sorted(tokens: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tokens)))
