"""Fingerprints of files and folders: whether one is another than before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from connectors.drive.access import Grants
from connectors.drive.folders import FileLocation
from connectors.drive.payloads import DriveFile, DrivePermission
from connectors.fingerprints import fingerprint

_UNCOMPARED = {"id", "permission_details"}
"""Of a permission: folders have the ids beside, and earlier releases did without."""


def file_fingerprint(file: DriveFile) -> str:
    """Differs for another version of a file."""
    return fingerprint([file.id, file.version, _as_text(file.modified_time)])


def folder_key(folder_id: str) -> str:
    """Names a folder where many are kept; shorter than its id."""
    return fingerprint(folder_id)


def folder_fingerprint(folder: DriveFile) -> str:
    """Differs where the documents below would: by a folder's name, parents and permissions."""
    permissions = [one.model_dump_json(exclude=_UNCOMPARED) for one in folder.permissions or ()]
    shown = {
        "name": folder.name,
        "parents": folder.parents,
        "drive": folder.drive_id,
        # Sorted, since Drive promises no order.
        "permissions": sorted(permissions),
        "permission_ids": sorted(folder.permission_ids or ()),
    }
    # What few folders have is no part of the others': their fingerprints are those of earlier releases.
    limited = {"limited": True} if folder.inherited_permissions_disabled else {}
    return fingerprint(shown | limited)


def ends_fingerprint(permissions: Iterable[DrivePermission]) -> str:
    """Differs where a folder's permissions end at other times; empty where none of them ends."""
    ending = [one.model_dump_json(exclude=_UNCOMPARED) for one in permissions if one.expiration_time]
    return fingerprint(sorted(ending)) if ending else ""


def listing_fingerprint(file: DriveFile, location: FileLocation, granted: Grants, restrictions: str = "") -> str:
    """Differs where a document would: by all that a listing shows of its file and of the folders above.

    Drive's `version` is no part of it: it also counts what nobody sees. `granted` is by the permissions in the
    listing, so that one that ends, or gets another end, changes the fingerprint. `restrictions` is the fingerprint of
    what its shared drive restricts.
    """
    shortcut = file.shortcut_details
    shown = {
        "name": file.name,
        "type": file.mime_type,
        "modified": _as_text(file.modified_time),
        "size": file.size,
        "can_download": file.capabilities.can_download if file.capabilities else None,
        "shortcut": [shortcut.target_id, shortcut.target_mime_type] if shortcut else None,
        "unit": location.unit,
        "folders": [[folder.id, folder.name] for folder in location.path],
        "readers": sorted(granted),
        "permission_ids": sorted(file.permission_ids or ()),
    }
    seldom = {
        "until": {token: end.isoformat() for token, end in granted.items() if end},
        "limited": [folder.id for folder in location.path if folder.has_limited_access],
        "restrictions": restrictions,
    }
    # What few files have is no part of the others': their fingerprints are those of earlier releases.
    return fingerprint(shown | {name: value for name, value in seldom.items() if value})


def _as_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
