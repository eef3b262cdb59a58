"""What its source shows in a listing, and does not find where it is asked for: it is failed and not gone. What an event
points at, and is not found, is hidden at once, and comes back by itself with nothing embedded again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
import pytest
import yaml

from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators import drive, github, notion, slack
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer

Change: TypeAlias = Callable[[], object]
Delivery: TypeAlias = tuple[dict[str, str], bytes]

KEY = "a-key-for-the-test-of-what-is-not-found"
PATIENCE = 60.0


@dataclass
class Source:
    """An emulated source with an object whose document's id ends as `name` says: `edit` puts "grease" into it, and
    `lose` and `find` are about its own address alone. `remove` deletes it. `deliver` makes the webhook that names it;
    Google names a feed of changes instead."""

    serving: AbstractContextManager[str]
    settings: dict[str, Any]
    name: str
    edit: Change
    lose: Change
    find: Change
    remove: Change
    deliver: Callable[[], Delivery] | None = None


def _github() -> Source:
    service = github.GitHub()
    api = service.repository("acme/api")
    number = service.issue(api, "Stuck wheel", "Oil it.")
    service.issue(api, "Broken wheel", "Mend it.")
    own = f"repos/acme/api/issues/{number}"
    paths = {own, f"{own}/comments"}
    return Source(
        github.serving(service),
        {"source": "github", "token": github.TOKEN, "webhook_secret": github.WEBHOOK_SECRET},
        f"issues/{number}",
        lambda: service.comment(api, number, "No, use grease."),
        lambda: service.unfound.update(paths),
        service.unfound.clear,
        lambda: service.delete_issue(api, number),
        lambda: service.issue_webhook("edited", api, number),
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

    def deliver() -> Delivery:
        service.clock = time.time()
        said = {"type": "message", "channel": "C1", "user": "U1", "ts": f"{service.clock:.6f}", "thread_ts": root}
        return service.delivery(said)

    return Source(
        slack.serving(service),
        {"source": "slack", "token": slack.TOKEN, "webhook_secret": slack.SIGNING_SECRET},
        f"threads/{root}",
        lambda: service.say("C1", "No, use grease.", thread=root),
        lose,
        lambda: setattr(service, "interrupt", lambda method, form: None),
        remove,
        deliver,
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
        {"source": "notion", "token": notion.TOKEN, "readers": ["public"], "webhook_secret": notion.VERIFICATION_TOKEN},
        page,
        lambda: service.write(page, notion.block("paragraph", "No, use grease.")),
        lose,
        service.answers.clear,
        lambda: service.trash(page),
        lambda: service.delivery("page.content_updated", page),
    )


def _notion_database() -> Source:
    """One of which search goes on to list the data source."""
    service = notion.Notion()
    top = service.page("Mills", notion.block("paragraph", "All about mills."))
    database = service.database("Wheels", under=top, says="Oil them.")
    source = service.source_of(database)
    service.page("Wheel 1", notion.block("paragraph", "It is of oak."), under=source)
    service.wait(days=1)

    def lose() -> None:
        for path in (f"databases/{database}", f"data_sources/{source}", f"data_sources/{source}/query"):
            service.answers[path] = lambda: notion.refusal(404, "object_not_found")

    def edit() -> None:
        for own in (database, source):
            service.edit(own, description=notion.text("No, use grease."))

    return Source(
        notion.serving(service),
        {"source": "notion", "token": notion.TOKEN, "readers": ["public"]},
        database,
        edit,
        lose,
        service.answers.clear,
        lambda: service.trash(database),
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


SOURCES = {"github": _github, "slack": _slack, "notion": _notion, "drive": _drive, "database": _notion_database}


ALL = [pytest.param(one, marks=pytest.mark.slow) if one == "database" else one for one in SOURCES]


@pytest.fixture(params=ALL)
def source(request: pytest.FixtureRequest, folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Source]:
    made = SOURCES[request.param]()
    with made.serving as url:
        connection = {"id": "acme", "base_url": url, **made.settings}
        readers = ["public", "group:acme:workspace"]
        assistant = {"id": "all", "api_key": KEY, "identity": "service", "readers": readers}
        settings = {"connections": [connection], "assistants": [assistant], "embedding": embedding_settings(embeddings)}
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


@pytest.mark.slow
@pytest.mark.one_case
@pytest.mark.parametrize("source", ["github", "slack", "notion", "drive"], indirect=True)
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


@pytest.mark.slow
@pytest.mark.parametrize("source", ["database"], indirect=True)
def test_a_database_that_its_own_address_does_not_know_is_read_by_its_data_source(
    source: Source, folder: Folder, headrace: Callable[..., Ran]
) -> None:
    assert headrace("sync", "--json").code == 0
    source.edit()
    source.lose()
    for command in ("sync", "reconcile"):
        found = headrace(command, "--json").json["documents"]
        assert (found["failed"], found["deleted"]) == (0, 0)
        assert _finds(headrace, "grease", source.name)


@pytest.mark.one_case
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


@pytest.mark.slow
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


@contextmanager
def _started(folder: Folder) -> Iterator[httpx.Client]:
    """A server and a worker as processes; the client is an assistant that sees what everybody does."""
    port = free_port()
    processes = [folder.started("serve", "--port", str(port)), folder.started("worker")]
    authorized = {"Authorization": f"Bearer {KEY}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=authorized, timeout=PATIENCE) as client:
            _until(lambda: client.get("/healthz").is_success)
            yield client
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _until(so: Callable[[], bool]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:
        with suppress(httpx.TransportError):
            if so():
                return
        time.sleep(0.1)
    raise AssertionError("it took too long")


def _answers(client: httpx.Client, name: str) -> bool:
    answer = client.post("/v1/search", json={"query": "oil", "mode": "lexical"})
    return any(one["document_id"].endswith(name) for one in answer.raise_for_status().json()["results"])


SERVED = ["github", *(pytest.param(name, marks=pytest.mark.slow) for name in ("slack", "notion"))]


@pytest.mark.slow
@pytest.mark.parametrize("source", SERVED, indirect=True)
def test_what_a_webhook_does_not_find_is_answered_to_nobody_until_a_sync_finds_it(
    source: Source, folder: Folder, headrace: Callable[..., Ran], embeddings: EmbeddingsServer
) -> None:
    assert headrace("sync", "--json").code == 0
    paid = embeddings.inputs
    with _started(folder) as client:
        assert _answers(client, source.name)
        source.lose()
        assert source.deliver
        headers, body = source.deliver()
        assert client.post("/webhooks/acme", content=body, headers=headers).is_success
        _until(lambda: _status(folder, source.name) == "deleted")
        assert not _answers(client, source.name)
        source.find()
        assert headrace("sync", "--json").code == 0
        _until(lambda: _answers(client, source.name))
    assert embeddings.inputs == paid
