"""The bundled company of backlot, which emulates GitHub by its own measurements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from connectors.contract import Checkpoint, PartState, Skipped
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import Document
from tests.emulators.company import TOKEN


@pytest.fixture(scope="module")
def base_url(company: str) -> str:
    return f"{company}/github"


@pytest.fixture
def connector(base_url: str) -> Iterator[GitHubConnector]:
    settings = {"id": "acme-github", "source": "github", "token": TOKEN, "base_url": base_url}
    connector = connect(GitHubConnection.model_validate(settings))
    yield connector
    connector.close()


def listed(base_url: str, repository: str) -> set[str]:
    """Ids of everything in a repository, from the emulator's own listings."""
    root = f"{base_url}/repos/{repository}"
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, params={"per_page": 100}) as client:
        issues = client.get(f"{root}/issues", params={"state": "all"}).json()
        pulls = client.get(f"{root}/pulls", params={"state": "all"}).json()
        tree = client.get(f"{root}/git/trees/main", params={"recursive": 1}).json()["tree"]
    numbers = {pull["number"] for pull in pulls}
    return (
        {f"pull/{number}" for number in numbers}
        | {f"issues/{issue['number']}" for issue in issues if issue["number"] not in numbers}
        | {f"blob/{entry['path']}" for entry in tree if entry["type"] == "blob"}
    )


def test_the_whole_company_is_read(connector: GitHubConnector, base_url: str) -> None:
    total = 0
    for unit in connector.units():
        items = list(connector.read(unit))
        documents = {item.id for item in items if isinstance(item, Document)}
        skipped = {item.document_id for item in items if isinstance(item, Skipped)}
        assert len(documents) + len(skipped) == sum(not isinstance(item, Checkpoint | PartState) for item in items)
        root = f"github:acme-github/{unit.id}/"
        assert {name.removeprefix(root) for name in documents | skipped} == listed(base_url, unit.name)
        total += len(documents) + len(skipped)
    assert total == 15


def test_reading_again_costs_the_same_whatever_there_is_and_yields_nothing(connector: GitHubConnector) -> None:
    for unit in connector.units():
        *_, last = connector.read(unit)
        assert isinstance(last, Checkpoint)
        before = connector.requests
        again = list(connector.read(unit, last.cursor))
        assert connector.requests - before <= 7
        assert all(isinstance(item, Checkpoint | PartState) for item in again)


def test_fetch_gives_what_read_gave(connector: GitHubConnector) -> None:
    for unit in connector.units():
        documents = [item for item in connector.read(unit) if isinstance(item, Document)]
        assert list(connector.fetch(unit, [document.id for document in documents])) == documents


def test_comments_and_reviews_are_all_there(connector: GitHubConnector, base_url: str) -> None:
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for unit in connector.units():
            for document in connector.read(unit):
                if not isinstance(document, Document) or document.kind == "file":
                    continue
                number = document.id.rpartition("/")[2]
                said = client.get(f"/repos/{unit.name}/issues/{number}/comments").json()
                if document.kind == "pull_request":
                    said += client.get(f"/repos/{unit.name}/pulls/{number}/reviews").json()
                    said += client.get(f"/repos/{unit.name}/pulls/{number}/comments").json()
                assert all(comment["body"] in str(document.content) for comment in said)


def test_check(connector: GitHubConnector, base_url: str) -> None:
    not_offered = [finding.subject for finding in connector.check() if not finding.ok]
    assert not_offered == ["releases"]
    wrong = {"id": "acme-github", "source": "github", "token": "wrong", "base_url": base_url}
    with closing(connect(GitHubConnection.model_validate(wrong))) as refused:
        (finding,) = refused.check()
    assert not finding.ok
    assert "Bad credentials" in finding.detail
