"""Who may read a file, from its permissions. Pure.

Source: https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from connectors.drive.payloads import DrivePermission
from connectors.model import PUBLIC, group_token, user_token

_READING_ROLES = {"owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"}
_DOMAIN = "domain:"


def readers(connection: str, permissions: Iterable[DrivePermission], now: datetime) -> tuple[str, ...]:
    """Reader tokens of a file, sorted; none for permissions of unknown kinds.

    A permission that opens the file only to people who have its link (`allowFileDiscovery` is not true for
    `anyone`, or false for a domain) makes nobody a reader: Google's documentation says of it that the file
    cannot "be discovered through search", and search is what these tokens are for.
    """
    tokens = {_token(connection, one) for one in permissions if _lets_read(one, now)}
    return tuple(sorted(token for token in tokens if token))


def commenters(connection: str, permissions: Iterable[DrivePermission], now: datetime) -> tuple[str, ...]:
    """The readers of a file who see its comments: all but mere viewers.

    Source: https://developers.google.com/workspace/drive/api/guides/ref-roles
    """
    return readers(connection, (one for one in permissions if one.role != "reader"), now)


def domain_group(domain: str) -> str:
    """Group of all people of a Google Workspace domain."""
    return f"{_DOMAIN}{domain.strip().lower()}"


def domain_of(group: str) -> str:
    """The domain whose people a group is; empty for a group of another kind."""
    return group.removeprefix(_DOMAIN) if group.startswith(_DOMAIN) else ""


def domain_groups(connection: str, email: str) -> tuple[str, ...]:
    """Reader tokens that an address alone gives its holder: that of its domain."""
    _, _, domain = email.strip().rpartition("@")
    return (group_token(connection, domain_group(domain)),) if domain else ()


def _lets_read(permission: DrivePermission, now: datetime) -> bool:
    return (
        permission.role in _READING_ROLES
        and not permission.deleted
        and not permission.view
        and (permission.expiration_time is None or permission.expiration_time > now)
    )


def _token(connection: str, permission: DrivePermission) -> str | None:
    match permission.type:
        case "user" if permission.email_address:
            return user_token(permission.email_address)
        case "group" if permission.email_address:
            return group_token(connection, permission.email_address.strip().lower())
        # Where the field is left out, a domain counts and `anyone` does not: nothing becomes public by default.
        case "domain" if permission.domain and permission.allow_file_discovery is not False:
            return group_token(connection, domain_group(permission.domain))
        case "anyone" if permission.allow_file_discovery:
            return PUBLIC
    return None
