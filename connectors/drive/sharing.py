"""Who may read the files and shared drives of a connection, as Google tells it now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial

from connectors.drive.access import (
    UNRESTRICTED,
    AccessRestrictions,
    Grants,
    commenters,
    domain_of_address,
    effective_below,
    grants,
    seen_above,
)
from connectors.drive.client import DriveClient
from connectors.drive.folders import DriveFolder, FileLocation, FolderTree
from connectors.drive.formats import title
from connectors.drive.part_table import PERMISSIONS
from connectors.drive.payloads import DriveFile, DrivePermission, DriveRestrictions, SharedDrive
from connectors.drive.settings import DriveConnection
from connectors.errors import AuthenticationFailed, RateLimited, SourceError, TransientError
from connectors.fingerprints import fingerprint
from connectors.isolation import FAILURES_IN_A_ROW
from connectors.part_watch import PartWatch

logger = logging.getLogger(__name__)


class DriveSharing:
    """Reads permissions, and applies what the shared drives and folders above restrict."""

    def __init__(self, client: DriveClient, folders: FolderTree, connection: DriveConnection) -> None:
        self._client = client
        self._folders = folders
        self._connection = connection.id
        self._reads_groups = connection.directory_url is not None
        self._members: dict[str, frozenset[str]] = {}

    def permissions(self, file: DriveFile, location: FileLocation, parts: PartWatch) -> tuple[DrivePermission, ...]:
        """Those that count where a file lies. Raises SourceError where Google does not show them."""
        found = file.permissions
        if found is None:
            found = tuple(parts.ask(PERMISSIONS, partial(self._client.permissions, file.id)))
        path = location.path
        limited = [at for at, folder in enumerate(path) if folder.has_limited_access]
        if not limited:
            return tuple(found)
        return tuple(effective_below([folder.id for folder in path[limited[-1] :]], found))

    def grants(self, permissions: Iterable[DrivePermission], file: DriveFile) -> Grants:
        """Who may read a file. Raises SourceError where the members of a shared drive that lets in nobody else cannot
        be read."""
        restrictions = self._restrictions(self._folders.drives.get(file.drive_id or ""))
        return grants(self._connection, permissions, datetime.now(UTC), restrictions)

    def all_see_comments(self, permissions: tuple[DrivePermission, ...], file: DriveFile) -> bool:
        """Whether nobody may read a file who may not read its comments, now or later."""
        return self.grants(permissions, file) == self.grants(commenters(permissions), file)

    def titles(self, path: Sequence[DriveFolder], permissions: Iterable[DrivePermission]) -> list[str]:
        """Names of the folders above a file with these permissions; empty where not all of its readers may see one, as
        far as was told. The root of My Drive is called alike for everybody."""
        known = {folder.id: self._folders.permissions(folder) for folder in path}
        shown = seen_above(self._connection, known, permissions, datetime.now(UTC))
        return [title(one.name) if one.id in shown or one is self._folders.root else "" for one in path]

    def drive_readers(self, drives: Iterable[SharedDrive]) -> Iterator[tuple[SharedDrive, tuple[str, ...]]]:
        """Shared drives with the reader tokens of their members: of nobody where Google does not tell them.

        Raises AuthenticationFailed. A server that fails at one after the other is not asked for the rest.
        """
        self._members.clear()
        failures = 0
        for drive in drives:
            members = frozenset[str]()
            if failures < FAILURES_IN_A_ROW:
                try:
                    members = self._members_of(drive)
                    failures = 0
                except AuthenticationFailed:
                    raise
                except SourceError as error:
                    logger.warning("%s: its members cannot be read, so that it has no readers: %s", drive.name, error)
                    failures = _failures_after(error, failures)
            yield drive, tuple(sorted(members))

    def restrictions_fingerprint(self, unit: str) -> str:
        """Differs where a unit's documents have other readers because its shared drive restricts something else."""
        drive = self._folders.drives.get(unit)
        restrictions = drive.restrictions if drive else DriveRestrictions()
        restricted = restrictions.model_dump() if restrictions != DriveRestrictions() else {}
        # What groups let in, and what stands for them, is part of it, so that what an earlier release has read is read
        # anew.
        inside = {"groups": "domain_members"} if restrictions.domain_users_only else {}
        named = {"group_tokens": "permission_ids"} if self._reads_groups else {}
        told = restricted | inside | named
        return fingerprint(told) if told else ""

    def _restrictions(self, drive: SharedDrive | None) -> AccessRestrictions:
        if drive is None:
            return UNRESTRICTED
        domain = self._domain if drive.restrictions.domain_users_only else None
        members = self._members_of(drive) if drive.restrictions.drive_members_only else None
        return AccessRestrictions(domain, members)

    def _members_of(self, drive: SharedDrive) -> frozenset[str]:
        if drive.id not in self._members:
            domain = self._domain if drive.restrictions.domain_users_only else None
            permissions = self._client.permissions(drive.id)
            found = grants(self._connection, permissions, datetime.now(UTC), AccessRestrictions(domain))
            self._members[drive.id] = frozenset(found)
        return self._members[drive.id]

    @cached_property
    def _domain(self) -> str:
        """That of the account: no API tells a shared drive's, and where only its people have access, it is one."""
        return domain_of_address(self._client.about().user.email_address)


def _failures_after(error: SourceError, before: int) -> int:
    """How many failures in a row are the server's own trouble; a limit is, at once."""
    if isinstance(error, RateLimited):
        return FAILURES_IN_A_ROW
    return before + 1 if isinstance(error, TransientError) else 0
