"""Where a source lists objects and finds none of them at its own address: their part is refused, what they hold stays,
and what is really gone meanwhile goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators import drive, github, notion, slack
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github_graphql import blob_sha

OBJECTS = 3


@dataclass
class Source:
    """An emulated source with so many objects in `part`. `edit` changes each of them; `lose` and `find` are about their
    own addresses; `remove` deletes one, whose document's id ends as `name` says."""

    serving: AbstractContextManager[str]
    settings: dict[str, Any]
    part: str
    name: str
    edit: Callable[[], object]
    lose: Callable[[], object]
    find: Callable[[], object]
    remove: Callable[[], object]


def _github() -> Source:
    service = github.GitHub()
    api = service.repository("acme/api")
    service.issue(api, "Broken wheel", "Mend it.")
    pulls = [service.issue(api, f"Wheel {n}", "It turns.", pull=True) for n in range(OBJECTS)]

    def edit() -> None:
        for number in pulls:
            service.edit_issue(api, number, body="Use grease.")

    def lose() -> None:
        for own in (f"repos/acme/api/{kind}/{number}" for kind in ("issues", "pulls") for number in pulls):
            service.unfound |= {own, f"{own}/comments", f"{own}/reviews"}

    return Source(
        github.serving(service),
        {"source": "github", "token": github.TOKEN},
        "pull requests",
        f"pull/{pulls[0]}",
        edit,
        lose,
        service.unfound.clear,
        lambda: service.delete_issue(api, pulls[0]),
    )


def _github_files() -> Source:
    service = github.GitHub()
    api = service.repository("acme/api")
    service.issue(api, "Broken wheel", "Mend it.")
    names = [f"docs/{n}.md" for n in range(OBJECTS)]

    def write(words: str) -> None:
        for name in names:
            service.write(api, name, f"# {name}\n\n{words}")

    write("It turns.")
    return Source(
        github.serving(service),
        {"source": "github", "token": github.TOKEN},
        "files",
        f"blob/{names[0]}",
        lambda: write("Use grease."),
        lambda: service.unfound.update(f"repos/acme/api/git/blobs/{blob_sha(api.files[name])}" for name in names),
        service.unfound.clear,
        lambda: service.delete_file(api, names[0]),
    )


def _slack() -> Source:
    service = slack.Slack()
    service.person("U1", "ada")
    service.channel("C1", "mill")
    roots = [service.say("C1", f"Wheel {n} is stuck.") for n in range(OBJECTS)]
    for root in roots:
        service.say("C1", "Oil it.", thread=root)

    def edit() -> None:
        for root in roots:
            service.say("C1", "Use grease.", thread=root)

    def lose() -> None:
        service.interrupt = lambda method, form: (
            {"ok": False, "error": "thread_not_found"} if method == "conversations.replies" else None
        )

    def remove() -> None:
        for ts in [ts for ts, said in service.messages["C1"].items() if said.get("thread_ts", ts) == roots[0]]:
            service.delete("C1", ts)

    return Source(
        slack.serving(service),
        {"source": "slack", "token": slack.TOKEN},
        "replies",
        f"threads/{roots[0]}",
        edit,
        lose,
        lambda: setattr(service, "interrupt", lambda method, form: None),
        remove,
    )


def _notion() -> Source:
    service = notion.Notion()
    top = service.page("Mills", notion.block("paragraph", "All about mills."))
    pages = [service.page(f"Wheel {n}", notion.block("paragraph", "Oil it."), under=top) for n in range(OBJECTS)]
    service.wait(days=1)

    def edit() -> None:
        for page in pages:
            service.write(page, notion.block("paragraph", "Use grease."))

    def lose() -> None:
        for path in (path for page in (top, *pages) for path in (f"blocks/{page}", f"blocks/{page}/children")):
            service.answers[path] = lambda: notion.refusal(404, "object_not_found")

    return Source(
        notion.serving(service),
        {"source": "notion", "token": notion.TOKEN, "readers": ["public"]},
        "blocks",
        pages[0],
        edit,
        lose,
        service.answers.clear,
        lambda: service.trash(pages[0]),
    )


def _drive() -> Source:
    service = drive.GoogleDrive()
    folder = service.folder("Mills")
    files = [service.doc(f"Wheel {n}", "Oil it.", folder) for n in range(OBJECTS)]

    def edit() -> None:
        for file in files:
            service.edit(file, "Use grease.")

    def lose() -> None:
        service.interrupt = lambda path, query: drive.error(404, "notFound") if path.endswith("/export") else None

    return Source(
        drive.serving(service),
        {"source": "drive", "token": drive.TOKEN},
        "content",
        files[0],
        edit,
        lose,
        lambda: setattr(service, "interrupt", lambda path, query: None),
        lambda: service.delete(files[0]),
    )


SOURCES = {"github": _github, "github files": _github_files, "slack": _slack, "notion": _notion, "drive": _drive}


@pytest.fixture(params=["github", *(pytest.param(one, marks=pytest.mark.slow) for one in SOURCES if one != "github")])
def source(request: pytest.FixtureRequest, folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Source]:
    made = SOURCES[request.param]()
    with made.serving as url:
        connection = {"id": "acme", "base_url": url, **made.settings}
        settings = {"connections": [connection], "embedding": embedding_settings(embeddings)}
        (folder.path / "headrace.yaml").write_text(yaml.safe_dump(settings))
        yield made


def _refused(status: dict[str, Any]) -> list[str]:
    return [one["part"] for connection in status["connections"] for one in connection["parts"]]


def _status(folder: Folder, name: str) -> str:
    with Services(load_settings(folder.path / "headrace.yaml")) as services:
        (row,) = services.catalog.documents.by_id_suffix(name)
        return str(row["status"])


@pytest.mark.slow
def test_a_part_of_which_nothing_is_found_is_refused_and_what_is_gone_goes(
    source: Source, folder: Folder, headrace: Callable[..., Ran]
) -> None:
    headrace("sync", "--json")
    source.edit()
    source.lose()
    for command in ("sync", "reconcile"):
        counted = headrace(command, "--json").json["documents"]
        assert (counted["failed"], counted["deleted"]) == (OBJECTS, 0), command
        assert _refused(headrace("status", "--json").json) == [source.part]
    wrong = [one for one in headrace("check", "--json").json["findings"] if not one["ok"]]
    assert [one["subject"] for one in wrong] == [f"acme: {source.part}"]
    assert wrong[0]["permission"]
    source.remove()
    found = headrace("reconcile", "--allow-mass-delete", "--json").json["documents"]
    assert (found["failed"], found["deleted"]) == (OBJECTS - 1, 1)
    assert _status(folder, source.name) == "deleted"
    source.find()
    assert headrace("sync", "--json").json["documents"]["failed"] == 0
    assert _refused(headrace("status", "--json").json) == []
    assert [one["subject"] for one in headrace("check", "--json").json["findings"] if not one["ok"]] == []
