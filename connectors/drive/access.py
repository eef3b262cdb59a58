"""Who may read a file, from its permissions and from what is restricted above it. Pure.

Source: https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from connectors.addresses import find_domain
from connectors.drive.payloads import DrivePermission
from connectors.model import PUBLIC, group_token, user_token

_READING_ROLES = {"owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"}
_NEVER_SHUT_OUT = {"owner", "organizer"}
_DOMAIN = "domain:"
_DOMAIN_MEMBERS = "domain-members:"

Grants: TypeAlias = Mapping[str, datetime | None]
"""Reader tokens, each with the moment at which it ends; None for one that does not end."""


@dataclass(frozen=True, slots=True)
class AccessRestrictions:
    """What a shared drive restricts, whatever the permissions of the items in it say.

    `domain`: "access to this shared drive and items inside this shared drive is restricted to users of the domain to
    which this shared drive belongs". `members`, as reader tokens: "access to items inside this shared drive is
    restricted to its members". None where it is not restricted so. Permissions that were granted before stay listed.

    Source: https://developers.google.com/workspace/drive/api/reference/rest/v3/drives
    """

    domain: str | None = None
    members: frozenset[str] | None = None

    def admit(self, permission: DrivePermission, token: str) -> bool:
        """Whether a permission for this reader token counts here."""
        if self.members is not None and token not in self.members:
            return False
        return self.domain is None or (bool(self.domain) and self.domain == _home_domain(permission))

    def narrow(self, connection: str, permission: DrivePermission) -> str | None:
        """The reader token of a permission, as far as it can count here: of a group the people of its own domain. Who
        is of another one is let in by a group as little as by name."""
        if self.domain is None or permission.type != "group" or not permission.id:
            return _token(connection, permission)
        return group_token(connection, domain_members(self.domain, permission.id))


UNRESTRICTED = AccessRestrictions()


def grants(
    connection: str,
    permissions: Iterable[DrivePermission],
    now: datetime,
    restrictions: AccessRestrictions = UNRESTRICTED,
) -> Grants:
    """Who may read a file, sorted by reader token; nobody by permissions of unknown kinds.

    A permission that opens the file only to people who have its link (`allowFileDiscovery` is not true for
    `anyone`, or false for a domain) makes nobody a reader: Google's documentation says of it that the file
    cannot "be discovered through search", and search is what these tokens are for.

    A permission counts until its `expirationTime`; what is granted twice ends with the last of both.
    """
    ends: dict[str, datetime | None] = {}
    for one in permissions:
        token = restrictions.narrow(connection, one) if _lets_read(one, now) else None
        if token and restrictions.admit(one, token):
            ends[token] = _later(ends[token], one.expiration_time) if token in ends else one.expiration_time
    return dict(sorted(ends.items()))


def commenters(permissions: Iterable[DrivePermission]) -> list[DrivePermission]:
    """The permissions that show a file's comments: all but those of mere viewers.

    Source: https://developers.google.com/workspace/drive/api/guides/ref-roles
    """
    return [one for one in permissions if one.role != "reader"]


def effective_below(folder_ids: Collection[str], permissions: Iterable[DrivePermission]) -> list[DrivePermission]:
    """The permissions of an item that count below a folder with limited access: those that are granted on it or below.

    `folder_ids` are those of that folder and of all between it and the item. Of what is inherited from further above
    only owners and organizers keep their access: "only users you directly add to the folder's permissions can open it
    and access its content". Where Google does not say what a permission is inherited from, which it does in shared
    drives only, it is one that counts: Google lists others for the folder itself alone, with the view `metadata`.

    Source: https://developers.google.com/workspace/drive/api/guides/limited-expansive-access
    """
    return [one for one in permissions if one.role in _NEVER_SHUT_OUT or _is_granted_in(folder_ids, one)]


def seen_above(
    connection: str,
    folders: Mapping[str, Iterable[DrivePermission] | None],
    permissions: Iterable[DrivePermission],
    now: datetime,
) -> set[str]:
    """The folders above a file that all of its readers may see. `folders` are their ids from the outermost on, each
    with its own permissions, None where they are not told; `permissions` are the file's.

    Who may read a folder may read what is below it: so a permission that is inherited shows the folder that it comes
    from, and those between it and the file. Source: https://support.google.com/a/users/answer/7212025
    """
    own = {one: grants(connection, told or (), now) for one, told in folders.items()}
    reached: dict[str, set[str]] = {}
    for permission in permissions:
        token = _token(connection, permission) if _lets_read(permission, now) else None
        if token:
            origins = {one.inherited_from for one in permission.permission_details or () if one.inherited}
            reached.setdefault(token, set()).update(_from_first(list(folders), origins))
    return {one for one in folders if all(one in seen or token in own[one] for token, seen in reached.items())}


def _from_first(folders: Sequence[str], origins: Collection[str | None]) -> Sequence[str]:
    """The folders from the outermost on that is among the origins."""
    return folders[next((at for at, one in enumerate(folders) if one in origins), len(folders)) :]


def domain_group(domain: str) -> str:
    """Group of all people of a Google Workspace domain; what is no domain is that of nobody's address."""
    return f"{_DOMAIN}{find_domain(domain) or domain}"


def domain_members(domain: str, group: str) -> str:
    """Group of those members of a group, by its permission id, who are of a domain: that of its address. One that gets
    an address of another domain has none of the first any more."""
    return f"{_DOMAIN_MEMBERS}{domain}:{group}"


def domain_of(group: str) -> str:
    """The domain whose people a group is; empty for a group of another kind."""
    return group.removeprefix(_DOMAIN) if group.startswith(_DOMAIN) else ""


def domain_groups(connection: str, email: str) -> tuple[str, ...]:
    """Reader tokens that an address alone gives its holder: that of its domain."""
    domain = domain_of_address(email)
    return (group_token(connection, domain_group(domain)),) if domain else ()


def domain_of_address(email: str) -> str:
    """The domain of an e-mail address, as it is compared; empty where there is none."""
    return find_domain(email.rpartition("@")[2]) or ""


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
        # Not by its address, which may be another group's tomorrow.
        case "group" if permission.id:
            return group_token(connection, permission.id)
        # Where the field is left out, a domain counts and `anyone` does not: nothing becomes public by default.
        case "domain" if permission.domain and permission.allow_file_discovery is not False:
            return group_token(connection, domain_group(permission.domain))
        case "anyone" if permission.allow_file_discovery:
            return PUBLIC
    return None


def _home_domain(permission: DrivePermission) -> str:
    """The domain of whom a permission is for; empty for everybody."""
    if permission.type == "domain":
        return find_domain(permission.domain) or ""
    return domain_of_address(permission.email_address or "")


def _is_granted_in(ids: Collection[str], permission: DrivePermission) -> bool:
    details = permission.permission_details or ()
    return not details or any(not one.inherited or one.inherited_from in (None, *ids) for one in details)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two ends; None, which is no end, is later than any."""
    return max(one, other) if one and other else None
