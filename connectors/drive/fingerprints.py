"""Marks: short stand-ins for the state of a file or folder, to tell whether it is another than before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from connectors.drive.folders import Place
from connectors.drive.payloads import File


def file_mark(file: File) -> str:
    """Differs for another version of a file."""
    return _mark(file.id, file.version, file.modified_time)


def folder_marks(folder: File) -> tuple[str, str]:
    """Marks of a folder's id, and of its name, place and permissions."""
    return _mark(folder.id), _mark(folder.name, folder.parents, folder.drive_id, _shared_with(folder))


def listed_mark(file: File, place: Place, readers: Iterable[str]) -> str:
    """Differs where a document would: by all that a listing shows of its file and of the folders above.

    Drive's `version` is no part of it: it also counts what nobody sees. `readers` are those of the permissions
    that the listing tells, so that one that expires is another mark.
    """
    above = [(folder.id, folder.name) for folder in place.path]
    allowed = file.capabilities.can_download if file.capabilities else None
    seen = (file.name, file.mime_type, file.modified_time, file.size, allowed, file.shortcut_details)
    return _mark(*seen, place.unit, above, sorted(readers), sorted(file.permission_ids or ()))


def _shared_with(file: File) -> tuple[list[str], list[str]]:
    """In no order: Drive promises none."""
    return sorted(map(repr, file.permissions or ())), sorted(file.permission_ids or ())


def _mark(*values: Any) -> str:
    return hashlib.sha256(repr(values).encode(errors="replace")).hexdigest()[:10]
