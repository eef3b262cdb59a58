"""What a document is made of, as metadata tell it: equal keys stand for equal texts. Pure.

Of what Google's own editors make nothing tells so much. It has no checksum; its `modifiedTime` lags behind what is
written by minutes (https://github.com/googleapis/google-api-go-client/issues/444) and can be set by who writes; and its
`version` counts each share. So who cleans a text and then shares it would let others find what was taken out.
"""

from __future__ import annotations

from connectors.drive.payloads import DriveFile
from connectors.fingerprints import fingerprint
from connectors.model import Document

_DIGITS = 32


def content_key(described: Document, file: DriveFile, checksum: str, *, pictures: bool) -> str:
    """Of the bytes with this MD5 `checksum`, read as `file`; `described` is its document but for the content. Empty
    without a checksum."""
    if not checksum:
        return ""
    # The name and the type say how bytes are read.
    return fingerprint([described.version, file.name, file.mime_type, checksum, pictures], _DIGITS)
