"""Each of GitHub's places that answers oddly, to all, to every other or to later pages of its questions, by the command
line: nothing healthy is lost by it, deletes arrive, and once it answers as it should, all is as if it always had."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, product
from typing import Literal, TypeAlias

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, Asked, GitHub, Repository, serving

Asks: TypeAlias = Literal["all", "every other", "later pages"]
Odd: TypeAlias = Callable[[Response], Response]

ROOT = "github:gh/1001"
PLACES = (
    "user/repos",
    "repos/acme/api/issues/N/comments",
    "repos/acme/api/pulls",
    "repos/acme/api/pulls/N",
    "repos/acme/api/pulls/N/comments",
    "repos/acme/api/pulls/N/reviews",
    "repos/acme/api/pulls/comments",
    "repos/acme/api/releases",
)


def cut(answer: Response) -> Response:
    return Response(bytes(answer.body)[: max(1, len(answer.body) // 2)], media_type="application/json")


def lists_of_null(answer: Response) -> Response:
    """Null in the place of what the answer is about."""
    found = json.loads(bytes(answer.body))
    return JSONResponse(None if isinstance(found, dict) else [None] * len(found))


ODD: dict[str, Odd] = {
    "forbidden": lambda answer: JSONResponse({"message": "Resource not accessible by personal access token"}, 403),
    "not found": lambda answer: JSONResponse({"message": "Not Found"}, 404),
    "down": lambda answer: Response("Server Error", 500),
    "null": lists_of_null,
    "a page": lambda answer: HTMLResponse("<html><body>Sign in</body></html>"),
    "cut": cut,
    "empty": lambda answer: Response(b"", media_type="application/json"),
}
WHICH: tuple[Asks, ...] = ("all", "every other", "later pages")
CASES = [(place, odd, which) for (place, odd), which in zip(product(PLACES, ODD), cycle(WHICH), strict=False)]
"""Each place with each answer; over all of them, each way in which a place answers so."""


@dataclass
class Mill:
    """A repository with more of each kind than fits on a page. `spoil` is what a place answers in place of itself."""

    github: GitHub
    api: Repository
    spoil: Callable[[str, bool, Response], Response] = lambda place, is_later, answer: answer
    asked: list[str] = field(default_factory=list)

    def change(self) -> set[str]:
        """Something new and something gone of each kind; returns how the ids of what is gone end."""
        github, api = self.github, self.api
        github.comment(api, 1, "A zebra came.")
        github.review(api, 5, "APPROVED", "A zebra went.")
        github.edit_comment(api, 2, next(iter(api.comments[2])), "It was striped.")
        github.write(api, "docs/0.md", "# Zebra 0\n\nIt has hooves.")
        github.delete_file(api, "docs/1.md")
        github.delete_issue(api, 4)
        release = next(iter(api.releases))
        del api.releases[release]
        return {"blob/docs/1.md", "issues/4", f"releases/{release}"}


@pytest.fixture
def mill() -> Mill:
    github = GitHub(page_size=3)
    api = github.repository("acme/api")
    for number in range(1, 9):
        github.issue(api, f"Zebra {number}", "A zebra.", pull=number > 4)
        github.comment(api, number, f"Zebra {number} is meant.")
    for number in range(5, 9):
        github.review(api, number, "APPROVED", "A zebra indeed.")
        github.review_comment(api, number, "a.py", 1, "Which zebra?")
    for number in range(4):
        github.release(api, f"v{number}", "With a zebra.")
        github.write(api, f"docs/{number}.md", f"# Zebra {number}")
    for number in range(3):
        github.repository(f"acme/empty-{number}")
    return Mill(github, api)


@pytest.fixture
def served(mill: Mill, folder: Folder, embeddings: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mill]:
    answered = mill.github._answer

    def answer(asked: Asked) -> Response:
        place = re.sub(r"/\d+", "/N", asked.path)
        return mill.spoil(place, asked.query.get("page", "1") != "1", answered(asked))

    monkeypatch.setattr(mill.github, "_answer", answer)
    with serving(mill.github) as url:
        connection = {"id": "gh", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        yield mill


def found(headrace: Callable[..., Ran], word: str = "zebra") -> set[str]:
    """Ids of the documents that have a word."""
    ran = headrace("search", word, "--mode", "lexical", "--top-k", "100", "--json")
    return {one["document_id"] for one in ran.json["results"]}


def spoiling(place: str, odd: Odd, which: Asks, asked: list[str]) -> Callable[[str, bool, Response], Response]:
    def spoil(at: str, is_later: bool, answer: Response) -> Response:
        if at != place or answer.status_code == 304:
            return answer
        asked.append(at)
        is_meant = {"all": True, "every other": len(asked) % 2 == 0, "later pages": is_later}[which]
        return odd(answer) if is_meant else answer

    return spoil


@pytest.mark.slow
@pytest.mark.parametrize(("place", "odd", "which"), CASES)
def test_a_place_that_answers_oddly_costs_nothing_for_good(
    served: Mill, headrace: Callable[..., Ran], place: str, odd: str, which: Asks
) -> None:
    assert headrace("sync", "--json").code == 0
    headrace("sync", "--json")
    idle = headrace("sync", "--json").json["requests"]["gh"]
    before = found(headrace)
    ends = tuple(served.change())
    gone = {one for one in before if one.endswith(ends)}
    assert len(gone) == len(ends)
    healthy = before - gone
    served.spoil = spoiling(place, ODD[odd], which, served.asked)
    for command in (["sync"], ["sync"], ["reconcile", "--allow-mass-delete"], ["sync", "--full"], ["sync"]):
        headrace(*command, "--json")
        assert healthy <= found(headrace), command
    served.spoil = lambda place, is_later, answer: answer
    assert headrace("sync", "--json").json["errors"] == {}
    assert headrace("reconcile", "--allow-mass-delete", "--json").json["errors"] == {}
    assert found(headrace) == healthy
    changed = {"came": "issues/1", "striped": "issues/2", "went": "pull/5", "hooves": "blob/docs/0.md"}
    for word, one in changed.items():
        assert found(headrace, word) == {f"{ROOT}/{one}"}
    for _ in range(2):
        headrace("sync", "--json")
    assert headrace("sync", "--json").json["requests"]["gh"] <= idle
