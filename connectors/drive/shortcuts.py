"""What shortcuts lead to."""

from __future__ import annotations

from connectors.drive.client import DriveClient
from connectors.drive.folders import FolderTree
from connectors.drive.payloads import FOLDER, SHORTCUT, DriveFile
from connectors.errors import AccessDenied, NotFound
from connectors.file_content import SkipFile


def find_target(client: DriveClient, folders: FolderTree, shortcut: DriveFile) -> DriveFile:
    """What a shortcut points to, if nothing else leads there: it is open to the account by its link alone.

    All else that the account sees is listed, and read in the unit where it lies. Raises SkipFile.
    """
    details = shortcut.shortcut_details
    if not details or not details.target_id:
        raise SkipFile("shortcut without a target")
    if details.target_mime_type == FOLDER:
        raise SkipFile("shortcut to a folder")
    try:
        target = client.file(details.target_id)
    except (NotFound, AccessDenied) as error:
        raise SkipFile("shortcut to a file that the account cannot open") from error
    if target.trashed:
        raise SkipFile("shortcut to a file in the trash")
    if target.mime_type == SHORTCUT:
        raise SkipFile("shortcut to a shortcut")
    if _is_listed(target, folders):
        raise SkipFile("shortcut: its target is read where it lies")
    return target


def _is_listed(file: DriveFile, folders: FolderTree) -> bool:
    in_folder = bool(folders.locate(file).path)
    return in_folder or bool(file.owned_by_me) or file.shared_with_me_time is not None
