"""An Unstructured API on loopback: https://docs.unstructured.io/api-reference/legacy-api/partition/overview

It knows neither PDF nor pictures: in elements such as the real one answers, it says how many files were sent, and what
stands behind `says:` in a file. One in which `without words` stands has none.
"""

from __future__ import annotations

import email
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.loopback import serve

PATH = "/general/v0/general"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: the file with its size in bytes, and what was asked with it."""

    name: str
    size: int
    strategy: str
    key: str | None


@dataclass(slots=True)
class UnstructuredServer:
    """`refuses` says whether a file cannot be read, by its content; while `status` is not 200, nothing is."""

    status: int = 200
    refuses: Callable[[bytes], bool] = lambda content: False
    sent: list[Sent] = field(default_factory=list)

    async def partition(self, request: Request) -> Response:
        head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
        message = email.message_from_bytes(head + await request.body())
        fields = {str(part.get_param("name", header="content-disposition")): part for part in message.walk()}
        file, strategy = fields["files"], fields["strategy"].get_payload(decode=True)
        content = file.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert isinstance(strategy, bytes)
        name = file.get_filename() or ""
        self.sent.append(Sent(name, len(content), strategy.decode(), request.headers.get("unstructured-api-key")))
        if self.status != 200:
            return JSONResponse({"detail": "not now"}, self.status)
        if self.refuses(content):
            return JSONResponse({"detail": "File type not supported"}, 422)
        said = b" ".join(re.findall(rb"says:(\w+)", content)).decode()
        text = f"scanned words {len(self.sent)} {said}"
        elements = [
            {"type": "Title", "element_id": "a", "text": "Minutes", "metadata": {"page_number": 1}},
            {"type": "NarrativeText", "element_id": "b", "text": text, "metadata": {"page_number": 1}},
        ]
        if b"without words" in content:
            elements = []
        return Response(json.dumps(elements), media_type="application/json")


@contextmanager
def serving(server: UnstructuredServer) -> Iterator[str]:
    """Its base URL, below a path as behind a proxy."""
    prefix = "/proxy"
    app = Starlette(routes=[Route(f"{prefix}{PATH}", server.partition, methods=["POST"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none")) as url:
        yield f"{url}{prefix}"
