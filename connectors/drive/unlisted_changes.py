"""What the changes feed tells while listings are refused, or fail: nothing can be placed or read, and what is taken
away counts all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connectors.contract import Deleted, Failed
from connectors.drive.documents import DriveDocuments
from connectors.drive.fingerprints import folder_fingerprint, folder_key
from connectors.drive.folders import ROOT, FolderTree
from connectors.drive.payloads import DriveChange, DriveFile
from connectors.errors import SourceError


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """What is known of where a unit's files lie: `fingerprints` are those of its folders when they were read last, by
    `folder_key`."""

    unit: str
    fingerprints: Mapping[str, str]
    folders: FolderTree
    is_drive: bool

    def has_other_readers(self, folder: DriveFile) -> bool:
        """Whether what is below a folder of the unit may be read by others than before."""
        before = self.fingerprints.get(folder_key(folder.id))
        return before is not None and before != folder_fingerprint(folder)

    def holds(self, file: DriveFile) -> bool:
        """Raises SourceError."""
        if self.folders.own_unit:
            return bool(file.owned_by_me)
        if self.is_drive:
            return file.drive_id == self.unit
        above = file.parents or ()
        if self.unit == ROOT:
            return all(one in (ROOT, self.folders.root.id) for one in above)
        return any(one == self.unit or folder_key(one) in self.fingerprints for one in above)


def unlisted_changes(
    changes: Iterable[DriveChange], place: UnitPlace, documents: DriveDocuments, error: SourceError
) -> Iterator[Deleted | Failed]:
    """Hides files as far as their readers are not told, and all below a folder that may be read by others than before.

    Once listings are given, the same changes are read from the same cursor, and show what is right. Raises SourceError.
    """
    for change in changes:
        document_id, file = documents.document_id(change.file_id or ""), change.file
        if file is None or change.removed or file.trashed:
            is_folder = folder_key(change.file_id or "") in place.fingerprints
            # What is gone from a shared drive may have moved to where it still is read.
            may_be_moved = place.is_drive and file is None and not is_folder
            yield Failed(document_id, "", str(error), hides=True) if may_be_moved else Deleted(document_id)
        elif file.is_folder:
            if place.has_other_readers(file):
                yield Deleted(document_id)  # no document: it hides what is below
        elif place.holds(file):
            yield _unread(file, documents, error)


def _unread(file: DriveFile, documents: DriveDocuments, error: SourceError) -> Failed:
    """Readers of before who are none of these have lost it. Folders above may take it from more, which is told of the
    folders."""
    found = documents.unread(file, error)
    if file.permissions is None:
        return found
    return replace(found, hides=False, readers=documents.readers_at_most(file.permissions))
