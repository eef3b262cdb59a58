"""The content of a file: exported or downloaded, in the first format that serves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from connectors import media
from connectors.drive import formats
from connectors.drive.client import DriveClient
from connectors.drive.payloads import DriveFile
from connectors.drive.responses import DriveAccessDenied
from connectors.drive.sheets import load_first_sheet
from connectors.errors import RequestRejected, SourceError
from connectors.file_content import FileContent, SkipFile, read_content

_OTHER_EXPORT_MAY_DO = {"exportSizeLimitExceeded", "fileNotExportable"}
_NO_DOWNLOAD = {
    "cannotDownloadFile": "its owner has disabled download",
    "cannotDownloadAbusiveFile": "Google has marked it as malware or spam",
    "cannotExportFile": "its owner has disabled download",
    "fileNotDownloadable": "unsupported type: it can be neither downloaded nor exported",
    "fileNotExportable": "unsupported type: it can be neither downloaded nor exported",
    "exportSizeLimitExceeded": "too large: Google exports at most 10 MB",
}


LoadSheets: TypeAlias = Callable[[str], FileContent | None]
"""All sheets of a spreadsheet, by its id; None where they cannot be had."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """`checksum` is the MD5 of the bytes of an upload, in hexadecimal digits; empty for an export."""

    content: FileContent
    checksum: str = ""


def load_content(client: DriveClient, file: DriveFile, *, pictures: bool, load_all: LoadSheets) -> LoadedFile:
    """What is read of a file; `load_all` is for spreadsheets that are too large to be exported. Raises SkipFile and
    SourceError."""
    plan = formats.plan_file(file, pictures=pictures)
    try:
        if plan.exports:
            return LoadedFile(_export(client, file, plan.exports, load_all))
        data = client.download(file.id, file.size, file.mime_type)
    except RequestRejected as error:
        if plan.is_certain:
            raise
        raise SkipFile(_NO_DOWNLOAD["fileNotExportable"]) from error
    except DriveAccessDenied as error:
        if error.reason in _NO_DOWNLOAD:
            raise SkipFile(_NO_DOWNLOAD[error.reason]) from error
        raise
    if len(data) > formats.MAX_BYTES:  # the metadata gave no size, or a smaller one
        raise SkipFile(formats.too_large(len(data)))
    content = read_content(data, file.mime_type, file.name, pictures=pictures)
    return LoadedFile(content, hashlib.md5(data, usedforsecurity=False).hexdigest())


def _export(client: DriveClient, file: DriveFile, media_types: tuple[str, ...], load_all: LoadSheets) -> FileContent:
    """The first export that Drive makes and that is what it should be."""
    refusal: SourceError | None = None
    for media_type in media_types:
        try:
            data = client.export(file.id, media_type)
        except RequestRejected as error:
            refusal = refusal or error
        except DriveAccessDenied as error:
            if error.reason not in _OTHER_EXPORT_MAY_DO:
                raise
            if error.reason == "exportSizeLimitExceeded" and media_type == media.XLSX:
                return load_all(file.id) or load_first_sheet(client, file.id)
            refusal = error  # says more than a rejection does: that the file is too large
        else:
            if media.begins_as(data, media_type) or media_type == media_types[-1]:
                return read_content(data, media_type, "")
    assert refusal is not None  # noqa: S101 - the last export was either returned or refused
    raise refusal
