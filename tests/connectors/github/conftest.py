"""The emulated GitHub in place of the network: one repository, small pages, an hour between changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.responses import Response

from connectors.contract import PartState
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from tests.emulators import github as emulator

BASE = "https://ghe.test/api/v3"
GRAPHQL = "https://ghe.test/api/graphql"
WIKI = "https://ghe.test/acme/api.wiki.git/"
TOKEN = "ghp-secret"

Payload = dict[str, Any]


class OneRepository(emulator.GitHub):
    """The service with `acme/api` alone, whose parts are at hand here.

    `answers` stand in for the service's own, by path below the API; `before` is told of each request.
    """

    def __init__(self) -> None:
        super().__init__(
            tokens={TOKEN},
            page_size=3,
            tree_limit=1_000,
            scopes="repo, read:org",
            step=timedelta(hours=1),
            clock=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.api = emulator.Repository(77, "acme/api")
        self.repositories["acme/api"] = self.api
        self.described = self.api.more = {**self.api.described(), "url": f"{BASE}/repos/acme/api"}
        self.answers: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.before: Callable[[httpx.Request], None] = lambda request: None
        self.asked_for: list[httpx.Request] = []

    @property
    def issues(self) -> dict[int, Payload]:
        return self.api.issues

    def add_issue(self, number: int, *, pull: bool = False, **more: Any) -> Payload:
        """With words and a label of its own, whatever number it has."""
        self.api.next_number = number
        said = {"title": f"Title {number}", "body": f"Body {number}", "labels": [{"name": "bug"}]}
        comments = len(self.api.comments.get(number, ()))
        self.issue(self.api, pull=pull, **{**said, "comments": comments, **more})
        return self.issues[number]

    def touch(self, number: int, **changes: Any) -> None:
        self.edit_issue(self.api, number, **changes)

    def tick(self) -> str:
        return self._tick()

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(_path(request) for request in self.asked_for)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.serve)

    def page(self, items: list[Payload], request: httpx.Request) -> httpx.Response:
        """Of a listing that is not the service's own."""
        return _as_httpx(self._listed(_asked(request), items))

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.asked_for.append(request)
        self.before(request)
        assert str(request.url).startswith((f"{BASE}/", GRAPHQL, WIKI)), f"the token left for {request.url}"
        if answer := self.answers.get(unquote(request.url.path.removeprefix("/api/v3/"))):
            return answer(request)
        return _as_httpx(self.answered(_asked(request)))


def stopped(items: Iterable[object]) -> dict[str, tuple[str, str]]:
    """Parts that are not complete, with how they stand and why. Each part is told once."""
    states = [item for item in items if isinstance(item, PartState)]
    assert len({state.part for state in states}) == len(states)
    return {state.part: (state.status, state.reason) for state in states if state.status != "complete"}


def _path(request: httpx.Request) -> str:
    return unquote(request.url.path).removeprefix("/api/v3/").removeprefix("/api/").lstrip("/")


def _asked(request: httpx.Request) -> emulator.Asked:
    query = request.url.query.decode()
    return emulator.Asked(request.method, _path(request), query, dict(request.headers), request.content)


def _as_httpx(response: Response) -> httpx.Response:
    return httpx.Response(response.status_code, headers=dict(response.headers), content=bytes(response.body))


@pytest.fixture
def github() -> OneRepository:
    return OneRepository()


@pytest.fixture
def connection() -> GitHubConnection:
    return GitHubConnection.model_validate({"id": "acme-github", "source": "github", "token": TOKEN, "base_url": BASE})


@pytest.fixture
def connector(github: OneRepository, connection: GitHubConnection) -> GitHubConnector:
    return connect(connection, github.transport())
