"""The parts of a file that are asked for one by one: its content, the sheets of a large spreadsheet, comments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from connectors.drive.client import DriveClient
from connectors.drive.files import LoadedFile, load_content
from connectors.drive.part_table import COMMENTS, CONTENT, SHEETS
from connectors.drive.payloads import DriveComment, DriveFile
from connectors.drive.sheets import load_sheets
from connectors.errors import AuthenticationFailed, RateLimited, SourceError, TransientError
from connectors.file_content import FileContent
from connectors.part_watch import PartWatch


@dataclass(frozen=True, slots=True)
class FileParts:
    """Of the file of one document, known as `file_id`. What is read without a part is noted in `lacking`, with the
    part's name; not where it is to be read `as_a_whole`."""

    client: DriveClient
    parts: PartWatch
    lacking: list[tuple[str, str]]
    file_id: str
    as_a_whole: bool

    def load(self, file: DriveFile, *, pictures: bool) -> LoadedFile:
        """The content. Raises SkipFile and SourceError."""
        load = partial(load_content, self.client, file, pictures=pictures, load_all=self._all_sheets)
        return self.parts.ask(CONTENT, load)

    def comments(self, file: DriveFile) -> list[DriveComment]:
        """None where the account may not see those of this file, or they cannot be had at all."""
        try:
            return self.parts.ask(COMMENTS, partial(self.client.comments, file.id))
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._note_lacking(COMMENTS, error)
            return []

    def _all_sheets(self, spreadsheet: str) -> FileContent | None:
        """None where they are not given."""
        try:
            return self.parts.ask(SHEETS, partial(load_sheets, self.client, spreadsheet))
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._note_lacking(SHEETS, error)
            return None

    def _note_lacking(self, part: str, error: SourceError) -> None:
        """Raises the error where the file is to be read as a whole."""
        if self.as_a_whole and isinstance(error, TransientError):
            raise error
        if self.parts.lacks(part, error):
            self.lacking.append((part, self.file_id))
