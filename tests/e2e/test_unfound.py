"""What its source shows in a listing, and does not find where it is asked for: it is failed and not gone. What an event
points at, and is not found, is hidden at once, and comes back by itself with nothing embedded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
import yaml

from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators import drive, github, notion, slack
from tests.emulators.embeddings import EmbeddingsServer

Change: TypeAlias = Callable[[], object]


@dataclass
class Source:
    """An emulated source with an object whose document's id ends as `name` says: `edit` puts "grease" into it, and
    `lose` and `find` are about its own address alone. `remove` deletes it."""

    serving: AbstractContextManager[str]
    settings: dict[str, Any]
    name: str
    edit: Change
    lose: Change
    find: Change
    remove: Change


def _github() -> Source:
    service = github.GitHub()
    api = service.repository("acme/api")
    number = service.issue(api, "Stuck wheel", "Oil it.")
    service.issue(api, "Broken wheel", "Mend it.")
    own = f"repos/acme/api/issues/{number}"
    paths = {own, f"{own}/comments"}
    return Source(
        github.serving(service),
        {"source": "github", "token": github.TOKEN},
        f"issues/{number}",
        lambda: service.comment(api, number, "No, use grease."),
        lambda: service.unfound.update(paths),
        service.unfound.clear,
        lambda: service.delete_issue(api, number),
    )


def _slack() -> Source:
    service = slack.Slack()
    service.person("U1", "ada")
    service.channel("C1", "mill")
    service.say("C1", "The mill is open.")
    root = service.say("C1", "The wheel is stuck.")
    service.say("C1", "Oil it.", thread=root)
    refused = {"ok": False, "error": "thread_not_found"}

    def lose() -> None:
        def answer(method: str, form: dict[str, Any]) -> dict[str, Any] | None:
            return refused if method == "conversations.replies" and form["ts"] == root else None

        service.interrupt = answer

    def remove() -> None:
        for ts in [ts for ts, said in service.messages["C1"].items() if said.get("thread_ts", ts) == root]:
            service.delete("C1", ts)

    return Source(
        slack.serving(service),
        {"source": "slack", "token": slack.TOKEN},
        f"threads/{root}",
        lambda: service.say("C1", "No, use grease.", thread=root),
        lose,
        lambda: setattr(service, "interrupt", lambda method, form: None),
        remove,
    )


def _notion() -> Source:
    service = notion.Notion()
    top = service.page("Mills", notion.block("paragraph", "All about mills."))
    page = service.page("Stuck wheel", notion.block("paragraph", "Oil it."), under=top)
    service.wait(days=1)

    def lose() -> None:
        for path in (f"pages/{page}", f"blocks/{page}", f"blocks/{page}/children"):
            service.answers[path] = lambda: notion.refusal(404, "object_not_found")

    return Source(
        notion.serving(service),
        {"source": "notion", "token": notion.TOKEN, "readers": ["public"]},
        page,
        lambda: service.write(page, notion.block("paragraph", "No, use grease.")),
        lose,
        service.answers.clear,
        lambda: service.trash(page),
    )


def _drive() -> Source:
    service = drive.GoogleDrive()
    folder = service.folder("Mills")
    service.doc("Open", "The mill is open.", folder)
    file = service.doc("Stuck wheel", "Oil it.", folder)

    def lose() -> None:
        service.interrupt = lambda path, query: (
            drive.error(404, "notFound") if f"{path}/".startswith(f"files/{file}/") else None
        )

    return Source(
        drive.serving(service),
        {"source": "drive", "token": drive.TOKEN},
        file,
        lambda: service.edit(file, "No, use grease."),
        lose,
        lambda: setattr(service, "interrupt", lambda path, query: None),
        lambda: service.delete(file),
    )


SOURCES = {"github": _github, "slack": _slack, "notion": _notion, "drive": _drive}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Source]:
    made = SOURCES[request.param]()
    with made.serving as url:
        connection = {"id": "acme", "base_url": url, **made.settings}
        settings = {"connections": [connection], "embedding": embedding_settings(embeddings)}
        (folder.path / "headrace.yaml").write_text(yaml.safe_dump(settings))
        yield made


def _open(folder: Folder) -> Services:
    return Services(load_settings(folder.path / "headrace.yaml"))


def _status(folder: Folder, name: str) -> str:
    with _open(folder) as services:
        (row,) = services.catalog.documents.by_id_suffix(name)
        return str(row["status"])


def _look_at(folder: Folder, name: str) -> None:
    """What the worker does for an event that names a document."""
    settings = load_settings(folder.path / "headrace.yaml")
    with _open(folder) as services:
        (row,) = services.catalog.documents.by_id_suffix(name)
        options = SyncOptions(mode="documents", documents=(row["id"],))
        report = sync_connection(services, settings.connection("acme"), [row["unit"]], options)
        assert report.errors == {}


def _finds(headrace: Callable[..., Ran], question: str, name: str) -> bool:
    found = headrace("search", question, "--mode", "lexical", "--json").json["results"]
    return any(result["document_id"].endswith(name) for result in found)


def test_what_is_listed_is_not_gone_where_its_address_does_not_know_it(
    source: Source, folder: Folder, headrace: Callable[..., Ran]
) -> None:
    assert headrace("sync", "--json").code == 0
    source.edit()
    source.lose()
    for command in ("sync", "sync", "reconcile"):
        ran = headrace(command, "--json")
        assert (ran.code, ran.json["documents"]["deleted"]) == (0, 0), ran.output
        assert _status(folder, source.name) == "failed"
    said = headrace("sync")
    assert said.code == 0
    (line,) = (line for line in said.output.splitlines() if line.startswith("failed     acme: 1 object has failed: "))
    assert source.name in line
    assert "not found" in line
    checked = {one["subject"]: one for one in headrace("check", "--json").json["findings"]}
    assert checked["acme: objects"]["ok"]
    assert source.name in checked["acme: objects"]["detail"]
    assert [one["id"] for one in headrace("status", "--json").json["troubled"] if one["status"] == "failed"] != []
    source.find()
    said = headrace("sync")
    assert (said.code, "failed     " in said.output) == (0, False)
    assert "acme: objects" not in headrace("check", "--json").output
    assert _status(folder, source.name) == "indexed"
    assert _finds(headrace, "grease", source.name)


def test_what_an_event_does_not_find_is_hidden_and_comes_back_with_the_next_sync(
    source: Source, folder: Folder, headrace: Callable[..., Ran], embeddings: EmbeddingsServer
) -> None:
    assert headrace("sync", "--json").code == 0
    paid = embeddings.inputs
    source.lose()
    _look_at(folder, source.name)
    assert not _finds(headrace, "oil", source.name)
    source.find()
    assert headrace("sync", "--json").code == 0
    assert _finds(headrace, "oil", source.name)
    assert embeddings.inputs == paid


def test_what_is_not_found_any_more_is_looked_for_a_few_times_only(
    source: Source, folder: Folder, headrace: Callable[..., Ran]
) -> None:
    for _ in range(3):
        assert headrace("sync", "--json").code == 0
    idle = headrace("sync", "--json").json["requests"]
    source.remove()
    _look_at(folder, source.name)
    assert _status(folder, source.name) == "deleted"
    for _ in range(4):
        ran = headrace("sync", "--json")
        assert (ran.code, ran.json["documents"]["deleted"]) == (0, 0)
    assert headrace("sync", "--json").json["requests"] == idle
    assert _status(folder, source.name) == "deleted"
