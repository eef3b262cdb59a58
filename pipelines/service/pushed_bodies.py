"""The body of a document that is pushed: JSON with its text, or a form with its file."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from connectors.pushed_documents import LONGEST_TEXT, PushedDocument, PushedFile
from pipelines.service.errors import FieldProblem, Problem
from pipelines.validation import field_path, reason

_JSON = "application/json"
_FORM = "multipart/form-data"
_MOST_FIELDS = 400
_FILE = "file"
_LISTS = frozenset({"readers", "parents", "tags"})
_TYPES = f"Send {_JSON} with a `text`, or {_FORM} with a `{_FILE}`."


async def read_pushed(request: Request) -> tuple[PushedDocument, PushedFile | None]:
    """Raises a 400, 413, 415 or 422 problem."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent == _JSON:
        return _parse_json(await _read(request)), None
    if sent == _FORM:
        return await _read_form(request)
    raise Problem(415, "Unsupported media type", _TYPES)


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LONGEST_TEXT:
            detail = f"A text may have at most {LONGEST_TEXT} bytes as JSON; send what is longer as a file."
            raise Problem(413, "Content too large", detail)
        parts.append(part)
    return b"".join(parts)


async def _read_form(request: Request) -> tuple[PushedDocument, PushedFile]:
    async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                _add(fields, name, value)
            elif name != _FILE:
                raise Problem(422, "Invalid request", f"is a file, and only `{_FILE}` is one", field=name)
        file = form.get(_FILE)
        if not isinstance(file, UploadFile):
            raise Problem(422, "Invalid request", "is missing; a text without a file is sent as JSON", field=_FILE)
        document = _validate(fields)
        return document, PushedFile(file.filename or "", file.content_type or "", await file.read())


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    """Fields that are lists are repeated. Raises a 422 problem for another that is there twice."""
    if name in _LISTS:
        fields.setdefault(name, []).append(value)
    elif name in fields:
        raise Problem(422, "Invalid request", "is there twice", field=name)
    else:
        fields[name] = value


def _parse_json(body: bytes) -> PushedDocument:
    try:
        return PushedDocument.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def _validate(fields: dict[str, Any]) -> PushedDocument:
    try:
        return PushedDocument.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> Problem:
    """Names each field that is wrong."""
    found = [
        FieldProblem(field=field_path(one["loc"]) or "body", problem=reason(one))
        for one in error.errors(include_input=False, include_url=False)
    ]
    problem = Problem(422, "Invalid request", found[0].problem, field=found[0].field)
    problem.errors = found
    return problem
