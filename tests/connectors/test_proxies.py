"""All sources go through the proxy of the environment, as a company's network may ask for, or past it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.registry import connect, parse_connection
from tests.loopback import serve

REFRESH_TOKEN = '{"refresh_token": "r", "client_id": "c", "client_secret": "s"}'
SOURCES: list[tuple[str, dict[str, Any]]] = [
    ("github", {}),
    ("slack", {}),
    ("notion", {"readers": ["workspace"]}),
    ("drive", {}),
    ("drive", {"token": REFRESH_TOKEN}),
]


class Server:
    """Answers every request alike, also those that are for another host; keeps for which they were."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.url = ""

    async def answer(self, request: Request) -> Response:
        self.hosts.append(request.headers["host"])
        return JSONResponse({"error": "no"}, 404)


@pytest.fixture(scope="module")
def serving() -> Iterator[Server]:
    server = Server()
    app = Starlette(routes=[Route("/{path:path}", server.answer, methods=["GET", "POST"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none")) as server.url:
        yield server


@pytest.fixture
def server(serving: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    serving.hosts.clear()
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return serving


def check(base_url: str, source: str, settings: dict[str, Any]) -> None:
    fields = {"id": "acme", "source": source, "token": "t", "base_url": f"{base_url}/v1"}
    token_uri = {"token_uri": f"{base_url}/token"} if source == "drive" else {}
    connector = connect(parse_connection(fields | token_uri | settings))
    connector.check()
    connector.close()


@pytest.mark.parametrize(("source", "settings"), SOURCES)
def test_requests_go_through_the_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch, source: str, settings: dict[str, Any]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    check("http://provider.invalid", source, settings)
    assert set(server.hosts) == {"provider.invalid"}


@pytest.mark.parametrize(("source", "settings"), SOURCES)
def test_hosts_can_be_left_out(
    server: Server, monkeypatch: pytest.MonkeyPatch, source: str, settings: dict[str, Any]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    check(server.url, source, settings)
    assert set(server.hosts) == {urlsplit(server.url).netloc}
