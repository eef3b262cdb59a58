"""Where a file lies: its folders, and the one unit that it belongs to.

A file's unit is, in this order:
1. the shared drive that it is in, if the account is a member of it;
2. the topmost folder above it that the account sees: a folder in My Drive, or one shared with the account;
3. `root`: files directly in My Drive, shared one by one, or with parents that the account does not see.

So each visible file has exactly one unit, the same for every account that sees as much. Where the account is one of
several people whose drives are read (`people`), the files that it owns are its one unit, and no others are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.drive.client import DriveClient
from connectors.drive.directory import Person
from connectors.drive.payloads import DriveFile, DrivePermission, SharedDrive
from connectors.drive.query import FOLDERS
from connectors.errors import AccessDenied, NotFound

ROOT = "root"
ROOT_NAME = "My Drive"
NOBODYS = ""
"""The unit of files that are not the account's own, where only those are read."""


@dataclass(frozen=True, slots=True)
class DriveFolder:
    """`permissions` is None where a listing does not show them, as in shared drives; `has_odd_permissions` where it
    shows them in another form than is documented."""

    id: str
    name: str
    parents: tuple[str, ...] = ()
    drive: str | None = None
    has_limited_access: bool = False
    permissions: tuple[DrivePermission, ...] | None = None
    has_odd_permissions: bool = False


@dataclass(frozen=True, slots=True)
class FileLocation:
    """`path` runs from the outermost container (shared drive, My Drive or shared folder) to the nearest."""

    unit: str
    unit_name: str
    path: tuple[DriveFolder, ...]


@dataclass(frozen=True, slots=True)
class LocatedFile:
    """A file and where it lies."""

    file: DriveFile
    location: FileLocation


class FolderTree:
    """What the account sees of folders and shared drives: listed once, then learned one by one."""

    def __init__(self, client: DriveClient, owner: Person | None = None) -> None:
        self._client = client
        self._owner = owner
        self._known: dict[str, DriveFolder | None] = {}
        self._listed: set[str] = set()
        self._drives: dict[str, SharedDrive] | None = None
        self._root: DriveFolder | None = None

    def refresh(self) -> None:
        """List the shared drives and the account's own folders, and forget what was known: not where that fails."""
        drives = {} if self._owner else {drive.id: drive for drive in self._client.drives()}
        folders = [folder for page in self._client.files(FOLDERS) for folder in page.files]
        self._drives, self._known, self._listed = drives, {}, set()
        for folder in folders:
            self.learn(folder)

    @property
    def drives(self) -> dict[str, SharedDrive]:
        """Shared drives by id."""
        if self._drives is None:
            self.refresh()
        assert self._drives is not None  # noqa: S101 - refresh sets it
        return self._drives

    def drive_id(self, folder_id: str) -> str | None:
        """The same id if it is that of a shared drive."""
        return folder_id if folder_id in self.drives else None

    def top(self) -> list[DriveFolder]:
        """Folders that are units: no visible folder is above them."""
        drives = self.drives
        folders = [folder for folder in map(self._get, sorted(self._listed)) if folder]
        return [one for one in folders if one.drive not in drives and self._is_top(one)]

    def learn(self, file: DriveFile) -> None:
        """Note what an answer says of a folder."""
        if not file.is_folder:
            return
        self._known[file.id] = None if file.trashed else _folder(file)
        if file.trashed:
            self._listed.discard(file.id)
        else:
            self._listed.add(file.id)

    def forget(self, folder_id: str) -> None:
        """Note that a folder is gone."""
        self._known[folder_id] = None
        self._listed.discard(folder_id)

    def locate(self, file: DriveFile) -> FileLocation:
        """Where a file or folder lies. Asks for folders that are not known yet."""
        drive = self.drives.get(file.drive_id or "")
        above = self._above(file.parents or (), {file.id})
        if drive:
            return FileLocation(drive.id, drive.name, (DriveFolder(drive.id, drive.name), *above))
        unit, name = ROOT, ROOT_NAME
        if self._owner:
            unit, name = (self._owner.id if file.owned_by_me else NOBODYS, self._owner.email)
        elif above and above[0].id in self._listed and self._is_top(above[0]):
            unit, name = above[0].id, above[0].name
        outermost = above[0].parents if above else file.parents or ()
        return FileLocation(unit, name, (self.root, *above) if self._has_root(outermost) else above)

    def permissions(self, folder: DriveFolder) -> tuple[DrivePermission, ...] | None:
        """A folder's own, asked for once where they were not as documented; None where they are not told."""
        known = self._known.get(folder.id) or folder
        if not known.has_odd_permissions:
            return known.permissions
        try:
            told = tuple(self._client.permissions(folder.id))
        except (NotFound, AccessDenied):
            told = None
        self._known[folder.id] = replace(known, permissions=told, has_odd_permissions=False)
        return told

    @property
    def own_unit(self) -> str | None:
        """The unit of all files that the account owns, where these alone are read."""
        return self._owner.id if self._owner else None

    @property
    def root(self) -> DriveFolder:
        """The root of My Drive; under its alias, where the server does not give its id."""
        if self._root is None:
            try:
                self._root = _folder(self._client.file(ROOT))
            except (NotFound, AccessDenied):
                self._root = DriveFolder(ROOT, ROOT_NAME)
        return self._root

    def _is_top(self, folder: DriveFolder) -> bool:
        """Whether no visible folder is above; none of a circle is."""
        return not self._above(folder.parents, {folder.id})

    def _above(self, parents: Iterable[str], seen: set[str]) -> tuple[DriveFolder, ...]:
        """Visible folders from the outermost down to one of `parents`, without the root of any drive."""
        path: list[DriveFolder] = []
        while folder := self._first_visible(parents, seen):
            path.append(folder)
            seen.add(folder.id)
            parents = folder.parents
        return tuple(reversed(path))

    def _first_visible(self, parents: Iterable[str], seen: set[str]) -> DriveFolder | None:
        for parent in parents:
            if parent in seen or parent in self.drives or self._has_root((parent,)):
                continue
            if folder := self._get(parent):
                return folder
        return None

    def _has_root(self, parents: Iterable[str]) -> bool:
        return any(parent in (ROOT, self.root.id) for parent in parents)

    def _get(self, folder_id: str) -> DriveFolder | None:
        if folder_id not in self._known:
            try:
                file = self._client.file(folder_id)
            except (NotFound, AccessDenied):
                self._known[folder_id] = None
            else:
                self._known[folder_id] = _folder(file) if file.is_folder and not file.trashed else None
        return self._known[folder_id]


def _folder(file: DriveFile) -> DriveFolder:
    limited = bool(file.inherited_permissions_disabled)
    permissions = None if file.permissions is None else tuple(file.permissions)
    own = (limited, permissions, file.has_odd_permissions)
    return DriveFolder(file.id, file.name, file.parents or (), file.drive_id, *own)
