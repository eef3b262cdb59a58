"""What the account sees of a Drive, and how that is described."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from tests.emulators.drive.query import Payload
from tests.emulators.drive.store import ME, ROOT, GoogleDrive


def effective(drive: GoogleDrive, item: str) -> dict[str, Payload]:
    """Permissions of a file or shared drive with those it inherits: a folder with limited access lets those see that
    it is there, and only owners and organizers in."""
    return _granted(drive, _upwards(drive, item))


def sees(drive: GoogleDrive, item: str) -> bool:
    way = _upwards(drive, item)
    return ROOT in way or _names_account(_granted(drive, way))


def opens(drive: GoogleDrive, file: str) -> bool:
    """By its id: also what is open to anyone with the link."""
    return file in drive.files and (
        sees(drive, file) or any(one["type"] == "anyone" for one in effective(drive, file).values())
    )


def searched(drive: GoogleDrive, file: str) -> Payload:
    """The fields of a file that a query may name, and others."""
    payload = drive.files[file]
    return {
        **payload,
        "parents": _shown_parents(drive, payload.get("parents") or ()),
        "ownedByMe": ROOT in _upwards(drive, file) and not payload.get("othersOwn"),
        "trashed": any(drive.files.get(one, {}).get("explicitlyTrashed") for one in _upwards(drive, file)),
    }


def described(drive: GoogleDrive, file: str) -> Payload:
    """All fields of a file."""
    payload, way = searched(drive, file), _upwards(drive, file)
    granted = _granted(drive, way)
    hides_permissions = bool(payload.get("driveId")) or payload.get("canShare") is False
    return {
        "md5Checksum": hashlib.md5(drive.content[file]).hexdigest() if file in drive.content else None,
        **payload,
        "permissionIds": sorted(granted),
        "permissions": None if hides_permissions else _listed(drive, way, granted),
        "inheritedPermissionsDisabled": file in drive.restricted,
        "sharedWithMeTime": payload.get("sharedWithMeTime") if _names_account(granted) else None,
    }


def described_drives(drive: GoogleDrive) -> list[Payload]:
    """The shared drives of which the account is a member."""
    return [
        {"id": one, "name": name, "restrictions": drive.restrictions.get(one, {})}
        for one, name in drive.drives.items()
        if sees(drive, one)
    ]


def listed_permissions(drive: GoogleDrive, item: str) -> list[Payload]:
    """As they are listed: what something inherits names where that comes from in shared drives only."""
    way = _upwards(drive, item)
    return _listed(drive, way, _granted(drive, way))


def _upwards(drive: GoogleDrive, item: str) -> list[str]:
    """An item and those above it that exist, from below; each once, in a circle of folders too."""
    way = list[str]()
    while item in drive.permissions and item not in way:
        way.append(item)
        [item] = drive.files.get(item, {}).get("parents") or [""]
    return way


def _granted(drive: GoogleDrive, way: Sequence[str]) -> dict[str, Payload]:
    granted = dict[str, Payload]()
    for item in reversed(way):
        inherited = {one: said for one, said in granted.items() if not said.get("view")}
        if item in drive.restricted:
            inherited = {one: said | _metadata_view(said) for one, said in inherited.items()}
        granted = inherited | drive.permissions[item]
    return granted


def _metadata_view(permission: Payload) -> Payload:
    return {} if permission["role"] in ("owner", "organizer") else {"view": "metadata"}


def _names_account(granted: dict[str, Payload]) -> bool:
    return any(one.get("emailAddress") == ME for one in granted.values())


def _shown_parents(drive: GoogleDrive, parents: Sequence[str]) -> list[str] | None:
    if drive.hides_parents:
        parents = [one for one in parents if one in drive.drives or sees(drive, one)]
    return [*parents] or None


def _listed(drive: GoogleDrive, way: Sequence[str], granted: dict[str, Payload]) -> list[Payload]:
    return [
        {"id": one, "kind": "drive#permission", **said, "permissionDetails": [_origin(drive, way, one)]}
        for one, said in granted.items()
    ]


def _origin(drive: GoogleDrive, way: Sequence[str], permission: str) -> Payload:
    holder = next(one for one in way if permission in drive.permissions[one])
    role = drive.permissions[holder][permission]["role"]
    kind = "member" if holder in drive.drives else "file"
    if holder == way[0]:
        return {"permissionType": kind, "role": role, "inherited": False}
    source = {"inheritedFrom": holder} if drive.files[way[0]].get("driveId") else {}
    return {"permissionType": kind, "role": role, "inherited": True, **source}
