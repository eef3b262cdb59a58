"""Errors as problem details (RFC 9457), each with the id of its request."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException

from pipelines.errors import CatalogUnavailable, EmbeddingError, IndexStoreError
from pipelines.service.audit import REFUSALS, audit_refusal
from pipelines.validation import field_path, reason

WEBHOOKS_PATH = "/webhooks/"
DOCUMENTS_PATH = "/v1/documents/"
RETRY_AFTER_SECONDS = "5"
"""When to ask again what a part of the service that is away could not answer."""
MEDIA_TYPE = "application/problem+json"
PROBLEM = "Problem"
"""The name of its schema."""
OPENAI_PATH = "/v1/vector_stores/"
"""Below it, problems carry an `error` too, which OpenAI's clients read, and wrong requests are 400 as with OpenAI."""

logger = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    problem: str


class OpenAIError(BaseModel):
    """A problem in OpenAI's form: https://platform.openai.com/docs/guides/error-codes"""

    message: str
    type: str
    param: str | None
    code: str | None


class ProblemDetails(BaseModel):
    """An error as it is answered (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What was wrong, and what to do")
    errors: list[FieldProblem] | None = Field(default=None, description="Each wrong field")
    error: OpenAIError | None = Field(
        default=None, description="The same in OpenAI's form, on its interface alone: message, type, param and code"
    )
    request_id: str = Field(description="Names the request in the service's log")


class Problem(Exception):
    """An error to be answered as it is. `detail` says what was wrong and what to do; `field` where it was."""

    def __init__(
        self, status: int, title: str, detail: str, headers: dict[str, str] | None = None, field: str | None = None
    ) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.errors = [FieldProblem(field=field, problem=detail)] if field else None
        super().__init__(f"{field}: {detail}" if field else detail)


def install(app: FastAPI) -> None:
    """Make all errors of an application problem details."""
    app.add_exception_handler(Problem, problem_response)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(EmbeddingError, _unavailable)
    app.add_exception_handler(IndexStoreError, _unavailable)
    app.add_exception_handler(CatalogUnavailable, _unavailable)
    app.add_exception_handler(PoolExhausted, _unavailable)  # all connections wait for a database that hangs
    app.add_exception_handler(Exception, _unexpected)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems among the responses of an operation in the API's description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}


def describe_problems(described: dict[str, Any]) -> None:
    """Add the schema of problems to the description of an API, and take away FastAPI's own, which nothing answers."""
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    own = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(own.pop("$defs"))
    schemas[PROBLEM] = own


def _response(
    request: Request,
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[FieldProblem] | None = None,
) -> JSONResponse:
    request_id = request.state.id
    openai = request.url.path.startswith(OPENAI_PATH)
    body = ProblemDetails(
        title=title,
        status=400 if openai and status == 422 else status,
        detail=detail,
        errors=errors,
        error=_as_openai(status, detail, errors) if openai else None,
        request_id=request_id,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=body.status,
        media_type=MEDIA_TYPE,
        headers={"X-Request-Id": request_id, **(headers or {})},
    )


def _as_openai(status: int, detail: str, errors: Sequence[FieldProblem] | None) -> OpenAIError:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
    return OpenAIError(message=detail, type=kind, param=errors[0].field if errors else None, code=code)


def problem_response(request: Request, error: Exception) -> JSONResponse:
    """The response to a Problem."""
    assert isinstance(error, Problem)  # noqa: S101  registered for this class only
    # Of webhooks that are not signed there are too many: they are a figure.
    if error.status in REFUSALS and not request.url.path.startswith(WEBHOOKS_PATH):
        audit_refusal(request, error.status, error.detail)
    return _response(request, error.status, error.title, str(error), error.headers, error.errors)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class only
    return _response(request, error.status_code, str(error.detail), str(error.detail), dict(error.headers or {}))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class only
    problems = [FieldProblem(field=_place(one), problem=reason(one)) for one in error.errors()]
    first = problems[0]
    return _response(request, 422, "Invalid request", f"{first.field}: {first.problem}", errors=problems)


def _unavailable(request: Request, error: Exception) -> JSONResponse:
    logger.error("request %s: %s", request.state.id, error)
    detail = "A part of the service that the answer needs is not available; try again later."
    return _response(request, 503, "Service unavailable", detail, {"Retry-After": RETRY_AFTER_SECONDS})


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("request %s failed", request.state.id, exc_info=error)
    detail = "The request could not be answered; the service's log names it by its id."
    return _response(request, 500, "Internal error", detail)


def _place(error: Mapping[str, Any]) -> str:
    """Where in a request something is wrong. FastAPI puts `body` before the path, and behind it the place of
    a character where it is no JSON."""
    if error["type"] == "json_invalid":
        return "body"
    return field_path([part for part in error["loc"] if part != "body"]) or "body"
