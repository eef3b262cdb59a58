"""From what is pushed to what is kept of it, or why it is refused. Pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from connectors import media
from connectors.cleaning import clean_text
from connectors.file_content import FileContent, SkipFile, read_content
from connectors.fingerprints import fingerprint
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT
from connectors.push.access import InvalidReader, reader_token
from connectors.push.settings import PushConnection
from connectors.pushed_documents import (
    LARGEST_FILE,
    AcceptedDocument,
    DocumentFields,
    PushedDocument,
    PushedFile,
    PushRefused,
)

DEFAULT_UNIT = "documents"
"""The unit of what is pushed without one."""
TEXT_TYPES = (MARKDOWN, PLAIN_TEXT, HTML)
_EMPTY = "is empty; to remove a document, send DELETE"


def accept(
    connection: PushConnection, document: PushedDocument, file: PushedFile | None, now: datetime
) -> AcceptedDocument:
    """See `connectors.registry.accept`."""
    title = document.title or (file.name if file else "")
    if not title:
        raise PushRefused("title", "is missing: results show it")
    unit = document.unit or DEFAULT_UNIT
    if not connection.includes(unit):
        raise PushRefused("unit", "is left out by `include` and `exclude` of the connection")
    content = _text(document) if file is None else _file(connection, document, file)
    body = content.body if isinstance(content.body, bytes) else content.body.encode()
    fields = DocumentFields(
        title=title,
        url=document.url,
        kind=document.kind or ("document" if file is None else "file"),
        author=document.author,
        readers=_readers(connection, document),
        parents=tuple(document.parents),
        tags=tuple(dict.fromkeys(document.tags)),
        content_type=content.media_type,
        created_at=_utc("created_at", document.created_at),
        updated_at=_utc("updated_at", document.updated_at) or now,
    )
    return AcceptedDocument(unit, fields, body, _fingerprint(unit, fields, document, body))


def _text(document: PushedDocument) -> FileContent:
    media_type = media.declared_type(document.content_type) or MARKDOWN
    if media_type not in TEXT_TYPES:
        allowed = f"must be {', '.join(TEXT_TYPES)}; send others as `file` of a form"
        raise PushRefused("content_type", allowed, is_unsupported=True)
    text = clean_text(document.text)
    if not text.strip():
        raise PushRefused("text", _EMPTY)
    return FileContent(text, media_type)


def _file(connection: PushConnection, document: PushedDocument, file: PushedFile) -> FileContent:
    if document.text:
        raise PushRefused("text", "must not stand beside a file")
    if len(file.data) > LARGEST_FILE:
        raise PushRefused("file", f"is larger than {LARGEST_FILE / 1e6:g} MB")
    declared = document.content_type or file.media_type
    try:
        found = read_content(file.data, declared, file.name, pictures=connection.reads_pictures)
    except SkipFile as skipped:
        raise PushRefused("file", skipped.reason, is_unsupported=True) from None
    if not found.body:
        raise PushRefused("file", _EMPTY)
    return found


def _readers(connection: PushConnection, document: PushedDocument) -> tuple[str, ...]:
    """Nobody, where neither the document nor the settings name readers."""
    named = connection.readers if document.readers is None else document.readers
    tokens: list[str] = []
    for place, reader in enumerate(named):
        try:
            tokens.append(reader_token(connection.id, connection.groups, reader))
        except InvalidReader as error:
            raise PushRefused(f"readers.{place}", str(error)) from None
    return tuple(dict.fromkeys(tokens))


def _utc(field: str, moment: datetime | None) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        raise PushRefused(field, "must be between the years 1 and 9999 in UTC") from None


def _fingerprint(unit: str, fields: DocumentFields, document: PushedDocument, body: bytes) -> str:
    """Of what was said: when it was pushed counts for nothing."""
    said = fields.model_dump(mode="json") | {"updated_at": document.updated_at and fields.updated_at.isoformat()}
    return fingerprint([unit, said, hashlib.sha256(body).hexdigest()], digits=32)
