"""Which format a file is read in. Pure.

Source of the export formats: https://developers.google.com/workspace/drive/api/guides/ref-export-formats
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors import media
from connectors.drive.payloads import DriveFile
from connectors.file_content import SkipFile
from connectors.media import CSV, PDF, PPTX, XLSX
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT

MAX_BYTES = 25_000_000
"""Larger files are skipped."""

_GOOGLE = "application/vnd.google-apps."
_DOCUMENT = f"{_GOOGLE}document"


@dataclass(frozen=True, slots=True)
class FormatPlan:
    """How a file is read: exported in the first of `exports` that works, or downloaded.

    `media_type` is what is expected of a download, empty where only its content can tell. Not `is_certain`: for some
    files of the type there is no export.
    """

    kind: str
    media_type: str = ""
    exports: tuple[str, ...] = ()
    is_certain: bool = True


_EXPORTED = {
    _DOCUMENT: FormatPlan("document", exports=(MARKDOWN, HTML, PLAIN_TEXT)),
    f"{_GOOGLE}spreadsheet": FormatPlan("spreadsheet", exports=(XLSX, CSV)),
    f"{_GOOGLE}presentation": FormatPlan("presentation", exports=(PPTX, PLAIN_TEXT)),
    f"{_GOOGLE}drawing": FormatPlan("drawing", exports=(PDF,), is_certain=False),
    f"{_GOOGLE}site": FormatPlan("site", exports=(PLAIN_TEXT, PDF), is_certain=False),
    f"{_GOOGLE}form": FormatPlan("form", exports=(PLAIN_TEXT, PDF), is_certain=False),
}
_KINDS = {PDF: "pdf", PPTX: "presentation", XLSX: "spreadsheet", CSV: "spreadsheet"}


def plan_format(mime_type: str, name: str, *, pictures: bool = False) -> FormatPlan | None:
    """How a file of this type and name is read; None if it has no text that can be. `pictures` says whether those are
    read."""
    declared = media.declared_type(mime_type)
    if exported := _EXPORTED.get(declared):
        return exported
    media_type = media.expected_type(declared, name, pictures=pictures)
    return None if media_type is None else FormatPlan(_KINDS.get(media_type, "file"), media_type)


def is_google_document(mime_type: str) -> bool:
    """Whether a file is a Google Docs document."""
    return mime_type == _DOCUMENT


def plan_file(file: DriveFile, *, pictures: bool = False) -> FormatPlan:
    """How a file is read. Raises SkipFile where its metadata say that it cannot be."""
    plan = plan_format(file.mime_type, file.name, pictures=pictures)
    if plan is None:
        raise SkipFile(f"unsupported type: {file.mime_type or 'unknown'}")
    if not plan.exports and file.size is not None and file.size > MAX_BYTES:
        raise SkipFile(too_large(file.size))
    if file.capabilities and file.capabilities.can_download is False:
        raise SkipFile("its owner has disabled download")
    return plan


def too_large(size: int) -> str:
    return f"too large: {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f} MB"


def title(name: str) -> str:
    """A file's name on one line."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split()) or "Untitled"
