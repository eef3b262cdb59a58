"""A wiki by the command line: what is written, edited, renamed and deleted there is found, or no more, by a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.responses import PlainTextResponse

from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, Repository, serving


@pytest.fixture
def service(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[GitHub]:
    service = GitHub()
    with serving(service) as url:
        connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        yield service
    assert service.strayed == []


@pytest.fixture
def api(service: GitHub) -> Repository:
    api = service.repository("acme/api")
    service.write_page(api, "Oil-the-wheel.md", "# Oil\n\nUse tallow, twice a week.")
    service.write_page(api, "Grease-the-axle.textile", "h1. Axle of the wheel\n\nTar is best.")
    service.write_page(api, "Burn-the-wheel.md", "When it is old.")
    return api


def found(ran: Ran) -> dict[str, str]:
    """What a search found: each page's address, with the text of its best passage."""
    results = ran.json["results"]
    return {one["url"].rpartition("/")[2]: one["chunks"][0]["text"] for one in results}


SEARCH = ("search", "wheel", "--kind", "wiki", "--json")


@pytest.mark.one_case
def test_a_page_is_found_as_it_is_now(service: GitHub, api: Repository, folder: Folder) -> None:
    assert folder.headrace("sync", "--json").json["documents"]["new"] == 3
    before = found(folder.headrace(*SEARCH))
    assert before.keys() == {"Oil-the-wheel", "Grease-the-axle", "Burn-the-wheel"}
    assert "Use tallow, twice a week." in before["Oil-the-wheel"]
    service.write_page(api, "Oil-the-wheel.md", "# Oil\n\nUse linseed oil for the wheel.")
    service.move_page(api, "Grease-the-axle.textile", "Grease-it.textile")
    service.delete_page(api, "Burn-the-wheel.md")
    documents = folder.headrace("sync", "--json").json["documents"]
    assert [documents[name] for name in ("new", "changed", "deleted")] == [1, 1, 2]
    after = found(folder.headrace(*SEARCH))
    assert after.keys() == {"Oil-the-wheel", "Grease-it"}
    assert "linseed" in after["Oil-the-wheel"]


@pytest.mark.slow
def test_a_wiki_to_which_a_token_does_not_lead_is_told_and_loses_nothing(
    service: GitHub, api: Repository, headrace: Callable[..., Ran]
) -> None:
    headrace("sync")
    service.fail(1, lambda: PlainTextResponse("Invalid username or token.", 401), only=".wiki.git/")
    ran = headrace("sync", "--json")
    assert (ran.code, ran.json["documents"]["deleted"]) == (0, 0)
    ((connection,), told) = (headrace("status", "--json").json["connections"], "grant Contents: read")
    assert [(one["part"], told in one["reason"]) for one in connection["parts"]] == [("wiki", True)]
    assert len(found(headrace(*SEARCH))) == 3
    headrace("sync")
    assert headrace("status", "--json").json["connections"][0]["parts"] == []
