"""Files of a repository are read many at a time where the server lets them, and one by one where it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from connectors.contract import Failed
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import Document, Unit
from tests.emulators.github import TOKEN, Asked, GitHub, Repository, serving

UNIT = Unit("1001", "acme/api")
FILES = 120


@pytest.fixture
def service() -> GitHub:
    return GitHub()


@pytest.fixture
def api(service: GitHub) -> Repository:
    api = service.repository("acme/api", has_issues=False, has_discussions=False)
    for number in range(FILES):
        service.write(api, f"docs/{number}.md", f"# Wheel {number}\n\nIt turns by water — always.")
    return api


@pytest.fixture
def connector(service: GitHub) -> Iterator[GitHubConnector]:
    with serving(service) as url:
        settings = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        with closing(connect(GitHubConnection.model_validate(settings))) as connector:
            yield connector


def documents(connector: GitHubConnector) -> dict[str, dict[str, Any]]:
    return {item.id: asdict(item) for item in connector.read(UNIT) if isinstance(item, Document)}


def test_many_files_take_few_requests(service: GitHub, api: Repository, connector: GitHubConnector) -> None:
    found = documents(connector)
    assert len(found) == FILES
    assert len(service.log) <= 0.1 * FILES
    one = found["github:acme/1001/blob/docs/7.md"]
    assert (one["author"], one["updated_at"] is not None) == ("eve", True)


def test_what_is_read_at_once_is_what_is_read_one_by_one(
    service: GitHub, api: Repository, connector: GitHubConnector
) -> None:
    """Also of files that are no text in UTF-8, of which GraphQL gives another text or none."""
    service.write(api, "docs/latin.txt", "Größe und Länge der Übertragung prüfen".encode("latin-1"))
    service.write(api, "docs/wide.txt", "Gateway restart steps".encode("utf-16"))
    service.write(api, "docs/mark.txt", "\ufeffWith a mark".encode())
    service.write(api, "docs/lines.txt", b"one\r\ntwo\rthree\n")
    together = documents(connector)
    assert len(together) == FILES + 4
    service.graphql = False
    with serving(service) as url:
        settings = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        with closing(connect(GitHubConnection.model_validate(settings))) as by_rest:
            assert documents(by_rest) == together


REFUSED = JSONResponse({"message": "Resource not accessible by personal access token"}, 403)
LIMITED = JSONResponse({"message": "API rate limit exceeded"}, 403, {"x-ratelimit-remaining": "0"})
TOO_MUCH = Response("<html>502</html>", 502)
ODD = JSONResponse({"data": {"blobs": [], "branch": {"head": 7}}})


@pytest.mark.parametrize("answer", [REFUSED, LIMITED, TOO_MUCH, ODD], ids=["refused", "limited", "too much", "odd"])
def test_a_server_that_does_not_read_many_at_once_loses_nothing(
    service: GitHub, api: Repository, connector: GitHubConnector, answer: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_graphql", lambda asked: answer)
    assert len(documents(connector)) == FILES


def test_a_server_that_reads_a_few_at_once_is_asked_for_a_few(
    service: GitHub, api: Repository, connector: GitHubConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = service._graphql

    def answered(asked: Asked) -> Response:
        return TOO_MUCH if json.loads(asked.body)["query"].count("history(") > 12 else answer(asked)

    monkeypatch.setattr(service, "_graphql", answered)
    items = list(connector.read(UNIT))
    assert sum(isinstance(item, Document) for item in items) == FILES
    assert not any(isinstance(item, Failed) for item in items)
    assert service.asked()["repos/acme/api/commits"] < FILES
