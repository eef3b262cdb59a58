"""Documents of one's own, pushed with the key of their connection: kept, and only then answered."""

import hmac
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any, Literal, NoReturn
from urllib.parse import unquote_to_bytes

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from connectors.contract import ID_PATH, id_prefix
from connectors.pushed_documents import LONGEST_NAME, PushRefused
from connectors.registry import sources, takes_documents
from connectors.settings import Connection
from pipelines.audit import audit
from pipelines.catalog.assistants import hash_key
from pipelines.errors import LandingUnavailable
from pipelines.pushed import DocumentIntake, InboxFull
from pipelines.pushed.intake import document_id as id_of
from pipelines.retrieval.schema import Text
from pipelines.service.description import PUSHED_DOCUMENT
from pipelines.service.errors import DOCUMENTS_PATH, RETRY_AFTER_SECONDS, Problem, problem_responses
from pipelines.service.pushed_bodies import read_pushed

_AT_ONCE = 4
"""Documents that are kept at once, and as many deletions."""
_SECONDS_IN_LINE = 10.0
"""After which a document that waits for others to be kept is refused for now."""
_SECONDS_UNTIL_ROOM = "30"
_FULL_ID = re.compile(r"([a-z][a-z0-9_]*):[a-z0-9][a-z0-9-]*/")
_NO_KEY = "Send the key of a connection that takes documents: Authorization: Bearer <its token>"
_NAMED = (
    f"must have 1 to {LONGEST_NAME} characters, none of them a control character, no space or slash at either end, no "
    "empty, `.` or `..` part between slashes, no `*/` at its beginning and no `/below` at its end"
)

PushKey = Depends(HTTPBearer(auto_error=False, scheme_name="PushKey", description="The key of a connection"))
Name = Annotated[
    Text,
    Path(
        max_length=2_000,
        description="The id that you give to the document, or the `document_id` by which search shows it",
        openapi_examples={"yours": {"value": "handbook/leave"}, "whole": {"value": "push:acme-push/handbook/leave"}},
    ),
]

_FORM: dict[str, Any] = {
    "type": "object",
    "description": f"`file`, and the fields of {PUSHED_DOCUMENT} but for `text`; those that are lists are repeated",
    "properties": {"file": {"type": "string", "format": "binary"}, "title": {"type": "string"}},
    "required": ["file"],
    "additionalProperties": True,
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{PUSHED_DOCUMENT}"},
                "example": {
                    "title": "Parental leave",
                    "text": "Everybody may take twelve weeks.",
                    "url": "https://handbook.example.com/leave",
                    "readers": ["group:staff", "ada@example.com"],
                },
            },
            "multipart/form-data": {"schema": _FORM},
        },
    }
}


class PushedResponse(BaseModel):
    """What has become of a document that was pushed. What is `created` or `changed` is found within seconds."""

    document_id: str = Field(description="By which search shows it")
    unit: str
    result: Literal["created", "changed", "unchanged"]


_UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: {"model": PushedResponse, "description": "It is there already, just as it was sent"}
}


class PushKeys:
    """The connections that take documents, by their keys."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._known = [(hash_key(one.token.get_secret_value()), one) for one in connections if takes_documents(one)]

    async def connection(self, request: Request) -> Connection:
        """Whose key a request bears. Raises a 401 problem."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        sent, found = hash_key(key.strip() if scheme.lower() == "bearer" else ""), None
        for known, connection in self._known:  # all of them, so that time tells nothing
            if hmac.compare_digest(known, sent):
                found = connection
        if found is None:
            raise Problem(401, "Unauthorized", _NO_KEY, {"WWW-Authenticate": "Bearer"})
        request.state.pushes_to = found.id
        return found


def install(app: FastAPI, connections: Iterable[Connection], intake: DocumentIntake | None) -> None:
    """Take documents at `PUT /v1/documents/{id}`, and their deletion. Without an intake no connection takes any."""
    keys = PushKeys(connections if intake else ())
    # Searches that wait hold up no document, and documents no search; nor a deletion, which needs no landing.
    keeping, deleting = CapacityLimiter(_AT_ONCE), CapacityLimiter(_AT_ONCE)
    pusher = Depends(keys.connection)

    @app.put(
        f"{DOCUMENTS_PATH}{{document_id:path}}",
        tags=["documents"],
        status_code=202,
        openapi_extra=_BODY,
        dependencies=[PushKey],
        responses=_UNCHANGED | problem_responses(400, 401, 403, 411, 413, 415, 422, 429, 503),
    )
    async def put_document(
        document_id: Name, request: Request, response: Response, connection: Annotated[Connection, pusher]
    ) -> PushedResponse:
        """Keep a document, in the place of the one that has this id: a text, or the file of a form.

        It is kept when this answers. Whom it leaves out of `readers` finds it no more; whoever is new among them finds
        it within seconds, and so does everybody its text.
        """
        name = _name(connection, document_id, request)
        document, file = await read_pushed(request)
        put = partial(_taking(intake).put, connection, name, document, file)
        result, unit = await _in_turn(put, keeping)
        _note(request, connection, name, "put", result)
        if result == "unchanged":
            response.status_code = 200
        return PushedResponse(document_id=id_of(connection, name), unit=unit, result=result)

    @app.delete(
        f"{DOCUMENTS_PATH}{{document_id:path}}",
        tags=["documents"],
        status_code=204,
        dependencies=[PushKey],
        responses=problem_responses(400, 401, 403, 422, 503),
    )
    async def delete_document(document_id: Name, request: Request, connection: Annotated[Connection, pusher]) -> None:
        """Delete a document: nobody finds it once this answers, which it does alike where there is none."""
        name = _name(connection, document_id, request)
        remove = partial(_taking(intake).remove, connection, name)
        removed = await _in_turn(remove, deleting)
        _note(request, connection, name, "delete", "deleted" if removed else "absent")


def _taking(intake: DocumentIntake | None) -> DocumentIntake:
    assert intake  # noqa: S101  without one there is no key
    return intake


async def _in_turn(take: Callable[[], Any], limiter: CapacityLimiter) -> Any:
    """Take it on a thread, once there is one. Raises Problem for what is not taken."""
    try:
        with fail_after(_SECONDS_IN_LINE):  # ends waiting for a thread alone: what has begun is waited for
            return await to_thread.run_sync(_answered, take, limiter=limiter)
    except TimeoutError:
        raise _unavailable() from None


def _answered(take: Callable[[], Any]) -> Any:
    """Raises Problem for what is not taken."""
    try:
        return take()
    except PushRefused as error:
        status, title = (415, "Unsupported media type") if error.is_unsupported else (422, "Invalid request")
        raise Problem(status, title, error.reason, field=error.field or None) from None
    except InboxFull:
        detail = "More documents of this connection wait to be read than are taken: send it again later."
        raise Problem(429, "Too many requests", detail, {"Retry-After": _SECONDS_UNTIL_ROOM}) from None
    except LandingUnavailable as error:
        raise _unavailable() from error


def _unavailable() -> Problem:
    detail = "Where documents are kept does not take any now; send it again later."
    return Problem(503, "Service unavailable", detail, {"Retry-After": RETRY_AFTER_SECONDS})


def _name(connection: Connection, document_id: str, request: Request) -> str:
    """The id that a document is given, out of the path. Raises a 403, 400 or 422 problem."""
    try:
        unquote_to_bytes(request.scope.get("raw_path") or b"").decode()
    except UnicodeDecodeError:
        raise Problem(400, "Bad request", "The path is no UTF-8.") from None
    prefix = id_prefix(connection.source, connection.id)
    if not document_id.startswith(prefix) and (found := _FULL_ID.match(document_id)) and found[1] in sources():
        raise Problem(403, "Forbidden", f"This key is for documents whose id begins with {prefix!r}.")
    name = document_id.removeprefix(prefix)
    if not _is_name(name):
        _refuse_name()
    return name


def _is_name(name: str) -> bool:
    parts = name.split("/")
    is_plain = len(name) <= LONGEST_NAME and name == name.strip() and ID_PATH.fullmatch(name) is not None
    return is_plain and not {"", ".", ".."}.intersection(parts) and parts[0] != "*" and parts[-1] != "below"


def _refuse_name() -> NoReturn:
    raise Problem(422, "Invalid request", _NAMED, field="path.document_id")


def _note(request: Request, connection: Connection, name: str, action: str, result: str) -> None:
    audit(
        "pushed",
        request=request.state.id,
        connection=connection.id,
        document=id_of(connection, name),
        action=action,
        result=result,
    )
