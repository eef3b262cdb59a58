"""What Google answers: the fields that were asked for, its errors, and its troubles.

https://developers.google.com/workspace/drive/api/guides/handle-errors
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from starlette.responses import JSONResponse, Response

from tests.emulators.drive.query import Payload, mask, shown

Query: TypeAlias = dict[str, str]
Fault: TypeAlias = Callable[[], Response]
Refusal: TypeAlias = Literal["forbidden", "missing", "down"]
Interruption: TypeAlias = Callable[[str, Query], Response | None]
"""What to answer in place of the service, by path below its prefix and query; None for its own answer."""


def masked(body: Payload, query: Query) -> Response:
    """Only the fields that were asked for; asking for none is a mistake here."""
    if "fields" not in query:
        raise AssertionError("`fields` was not given")
    return JSONResponse(shown(body, mask(query["fields"])))


def error(status: int, reason: str, message: str = "", headers: dict[str, str] | None = None) -> Response:
    said = {"domain": "global", "reason": reason, "message": message or reason}
    return JSONResponse({"error": {"code": status, "message": message or reason, "errors": [said]}}, status, headers)


def limited(reason: str, status: int = 403, headers: dict[str, str] | None = None) -> Fault:
    return lambda: error(status, reason, "Rate Limit Exceeded", headers)


def refusal(how: Refusal) -> Response:
    """Of a part, whichever object is asked for."""
    match how:
        case "forbidden":
            return error(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        case "missing":
            return error(404, "notFound", "Not Found")
        case "down":
            return error(500, "backendError", "Backend Error")


def broken_gateway() -> Response:
    return Response("<html><title>Error 502 (Server Error)!!1</title></html>", 502, media_type="text/html")


def cut_short() -> Response:
    return Response('{"files": [{"id": "1F000', 200, media_type="application/json")
