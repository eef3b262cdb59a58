"""Whether a connection works: who the account is, and what of each part it may read, tried on real files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from connectors.contract import Finding
from connectors.drive import formats
from connectors.drive.client import DriveClient
from connectors.drive.directory import GoogleDirectory
from connectors.drive.files import load_content
from connectors.drive.folders import FolderTree
from connectors.drive.part_table import (
    CHANGES,
    COMMENTS,
    CONTENT,
    DIRECTORY,
    LISTING,
    PARTS_BY_NAME,
    PERMISSIONS,
    SHEETS,
)
from connectors.drive.payloads import DriveFile
from connectors.drive.query import FILES
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.drive.watch import watch_parts
from connectors.errors import REFUSALS, AuthenticationFailed, SourceError, TransientError
from connectors.file_content import SkipFile
from connectors.source_parts import not_tried, probe_on, probe_part

_FILES_TO_TRY = 3
"""Of shared drives and of My Drive each: of the former, permissions are asked for file by file."""
_MOST_BYTES = 1_000_000
"""Of a file that is downloaded to try it."""
_SPREADSHEET = "application/vnd.google-apps.spreadsheet"


def check(
    connection: DriveConnection,
    client: DriveClient,
    folders: FolderTree,
    sharing: DriveSharing,
    directory: GoogleDirectory | None,
) -> list[Finding]:
    """Ends at credentials that are refused."""
    findings: list[Finding] = []
    try:
        user = client.about().user
        findings.append(Finding("credentials", True, f"signed in as {user.email_address or user.display_name}"))
        findings += _try_files(connection, client, folders, sharing)
        findings.append(_probe_directory(directory, client))
    except SourceError as error:
        findings.append(Finding("credentials", False, str(error)))
    return findings


def _try_files(
    connection: DriveConnection, client: DriveClient, folders: FolderTree, sharing: DriveSharing
) -> list[Finding]:
    files: list[DriveFile] = []

    def list_some() -> str:
        folders.refresh()
        for drive in (None, *list(folders.drives)[:1]):  # what the account itself sees has no shared drive's files
            files.extend(next(client.files(FILES, drive=drive)).files)
        return f"{len(folders.drives)} shared drives, {len(folders.top())} top-level folders"

    listing = probe_part(PARTS_BY_NAME[LISTING], list_some)
    documents = [one for one in files if formats.is_google_document(one.mime_type)]
    return [
        listing,
        _on_file(CONTENT, documents or list(filter(_is_small, files)), partial(_load, client)),
        _permissions_shown(_some_of_both(files), folders, sharing)
        if listing.ok
        else not_tried(PARTS_BY_NAME[PERMISSIONS]),
        _on_file(COMMENTS, documents, lambda file: client.comments(file.id)),
        probe_part(PARTS_BY_NAME[CHANGES], client.open_feed),
        _probe_sheets(connection, client, files),
    ]


def _on_file(part: str, files: Sequence[DriveFile], ask: Callable[[DriveFile], object]) -> Finding:
    return probe_on(PARTS_BY_NAME[part], files, lambda found: formats.title(found.name), ask)


def _is_small(file: DriveFile) -> bool:
    try:
        formats.plan_file(file)
    except SkipFile:
        return False
    return (file.size or 0) <= _MOST_BYTES


def _load(client: DriveClient, file: DriveFile) -> None:
    try:
        load_content(client, file, pictures=False, load_all=lambda file_id: None)
    except SkipFile:  # it was given, and holds nothing that is read
        return


def _some_of_both(files: Sequence[DriveFile]) -> list[DriveFile]:
    shared = [file for file in files if file.drive_id]
    own = [file for file in files if not file.drive_id]
    return shared[:_FILES_TO_TRY] + own[:_FILES_TO_TRY]


def _permissions_shown(files: Sequence[DriveFile], folders: FolderTree, sharing: DriveSharing) -> Finding:
    """Google shows permissions only to accounts that may share a file; without them nobody may find it."""
    part = PARTS_BY_NAME[PERMISSIONS]
    try:
        hidden = len([file for file in files if not _shows_readers(file, folders, sharing)])
    except TransientError as error:
        return Finding(PERMISSIONS, False, str(error), part.lost)
    if hidden:
        detail = f"{hidden} of {len(files)} files hide who may read them"
        return Finding(PERMISSIONS, False, detail, part.lost, part.permission)
    return Finding(PERMISSIONS, True, "files show who may read them")


def _shows_readers(file: DriveFile, folders: FolderTree, sharing: DriveSharing) -> bool:
    try:
        return bool(sharing.permissions(file, folders.locate(file), watch_parts()))
    except REFUSALS:
        return False


def _probe_sheets(connection: DriveConnection, client: DriveClient, files: Sequence[DriveFile]) -> Finding:
    if not connection.has_sheets_api:
        return not_tried(PARTS_BY_NAME[SHEETS], "no `sheets_url`")
    spreadsheets = [one for one in files if one.mime_type == _SPREADSHEET]
    return _on_file(SHEETS, spreadsheets, lambda file: client.sheets(file.id))


def _probe_directory(directory: GoogleDirectory | None, client: DriveClient) -> Finding:
    if directory is None:
        return not_tried(PARTS_BY_NAME[DIRECTORY], "no `directory_url`; nobody sees a file through a group")
    try:
        return probe_part(PARTS_BY_NAME[DIRECTORY], partial(directory.try_groups, client.permission_id))
    except AuthenticationFailed as error:  # no token for its scopes, where there is one for those of Drive
        part = PARTS_BY_NAME[DIRECTORY]
        return Finding(DIRECTORY, False, str(error), part.lost, part.permission)
