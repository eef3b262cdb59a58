"""Errors as problem details (RFC 9457), each with the id of its request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from pipelines.errors import EmbeddingError, IndexStoreError

MOST_BYTES = 256 * 1024
"""Of a request's body."""
MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """An error as it stands on the wire (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What was wrong, and what to do")
    errors: list[dict[str, str]] | None = Field(default=None, description="Each wrong `field` and its `problem`")
    request_id: str = Field(description="Names the request in the service's log")


class Problem(Exception):
    """An error to be answered as it is. `detail` says what was wrong and what to do."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        super().__init__(detail)


def install(app: FastAPI) -> None:
    """Make all errors of an application problem details."""
    app.middleware("http")(_request_id)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(EmbeddingError, _unavailable)
    app.add_exception_handler(IndexStoreError, _unavailable)
    app.add_exception_handler(Exception, _unexpected)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems among the responses of an operation in the API's description."""
    content = {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


async def _request_id(request: Request, call_next: RequestResponseEndpoint) -> Response:
    request.state.id = uuid4().hex
    if "transfer-encoding" in request.headers:
        return _response(request, 411, "Length required", "Send the body with a Content-Length.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return _response(request, 413, "Content too large", f"The body may have at most {MOST_BYTES} bytes.")
    response = await call_next(request)
    response.headers["X-Request-Id"] = request.state.id
    return response


def _response(
    request: Request,
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    request_id = request.state.id
    body = ProblemDetails(title=title, status=status, detail=detail, errors=errors, request_id=request_id)
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"X-Request-Id": request_id, **(headers or {})},
    )


def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101  registered for this class only
    return _response(request, error.status, error.title, error.detail, error.headers)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class only
    return _response(request, error.status_code, str(error.detail), str(error.detail), dict(error.headers or {}))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class only
    problems = [
        {"field": _path(one["loc"]), "problem": one["msg"].removeprefix("Value error, ")} for one in error.errors()
    ]
    first = problems[0]
    detail = f"{first['field']}: {first['problem']}"
    return _response(request, 422, "Invalid request", detail, errors=problems)


def _unavailable(request: Request, error: Exception) -> JSONResponse:
    logger.error("request %s: %s", request.state.id, error)
    detail = "A part of the service that the answer needs is not available; try again later."
    return _response(request, 503, "Service unavailable", detail)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("request %s failed", request.state.id, exc_info=error)
    detail = "The request could not be answered; the service's log names it by its id."
    return _response(request, 500, "Internal error", detail)


def _path(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"
