"""Which units an account has: shared drives, folders at the top of what it sees, and `root` for what lies in none."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import PartState
from connectors.drive.client import DriveClient
from connectors.drive.documents import DriveDocuments
from connectors.drive.folders import ROOT, ROOT_NAME, FileLocation, FolderTree
from connectors.drive.part_table import LISTING
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.model import Unit

_WEB = "https://drive.google.com/drive"


class DriveUnits:
    """`refused` is the error with which Drive refuses listings alone, or fails at them; with `only_shared`, shared
    drives are all units."""

    def __init__(
        self,
        connection: DriveConnection,
        client: DriveClient,
        folders: FolderTree,
        sharing: DriveSharing,
        documents: DriveDocuments,
        *,
        only_shared: bool,
    ) -> None:
        self._connection = connection
        self._client = client
        self._folders = folders
        self._sharing = sharing
        self._documents = documents
        self._only_shared = only_shared
        self._is_listed = False
        self.refused: SourceError | None = None

    def refresh(self) -> None:
        """List what the units are made of. Raises SourceError, but for what is `refused`."""
        self.refused = self._list_folders()

    def begin(self) -> None:
        """What the parts tell from here on is about another unit. A person's folders are listed by no listing of
        units. Raises SourceError."""
        if self._folders.own_unit or not self._is_listed:
            self.refresh()
        self._documents.parts.begin_unit()
        self._documents.parts.tell(LISTING, self.refused)

    def listing_states(self) -> list[PartState]:
        return self._documents.parts.states({LISTING: [self._documents.document_id("")]})

    def entries(self) -> Iterator[Unit]:
        """Those that the settings include."""
        return (unit for unit in self._all() if self._connection.includes(unit.id, unit.name))

    def includes(self, location: FileLocation) -> bool:
        """Whether what lies there is read."""
        if self._folders.own_unit:
            return location.unit == self._folders.own_unit
        is_read = not self._only_shared or self._folders.drive_id(location.unit) is not None
        return is_read and self._connection.includes(location.unit, location.unit_name)

    def _list_folders(self) -> SourceError | None:
        try:
            self._documents.parts.ask(LISTING, self._folders.refresh)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._client.about()  # raises where Drive as a whole is in trouble
            return error
        self._is_listed = True
        return None

    def _all(self) -> Iterator[Unit]:
        drives = [one for one in self._folders.drives.values() if self._connection.includes(one.id, one.name)]
        for drive, readers in self._sharing.drive_readers(drives):
            yield Unit(drive.id, drive.name, f"{_WEB}/folders/{drive.id}", readers)
        if self._only_shared:
            return
        for folder in self._folders.top():
            yield Unit(folder.id, folder.name, f"{_WEB}/folders/{folder.id}")
        yield Unit(ROOT, ROOT_NAME, f"{_WEB}/my-drive")
