"""From a webhook to a search result: delivered over HTTP, taken by the worker, asked over HTTP as a person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.registry import parse_connection
from connectors.settings import Connection
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.worker import Worker
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.publish import publish
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators import drive, github, notion, slack
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.serving import app_of

ADA, BOB = "ada@acme.test", "bob@acme.test"
ASSISTANT = AssistantSettings(id="people", api_key=SecretStr("people-key"))
PATIENCE = 30.0

Delivery = tuple[dict[str, str], bytes]
Company = tuple[slack.Slack, dict[str, Any]]
Repositories = tuple[github.GitHub, github.Repository, github.Repository, dict[str, Any]]


class Unheard:
    """Nobody is told what the worker does."""

    def stage_done(self, done: StageDone) -> None: ...

    def published(self, info: IndexInfo) -> None: ...

    def checked(self, services: Services) -> None: ...


class Running:
    """What a connection holds, synced and served, and a worker that takes its events."""

    def __init__(self, services: Services, connection: Connection, connectors: ConnectorPool) -> None:
        assert sync_connection(services, connection).errors == {}
        publish(services)
        self._events = services.catalog.events
        self._client = TestClient(app_of(services))
        self._worker = Worker(services, connectors, Unheard())
        self._worker.run_maintenance()

    def deliver(self, *deliveries: Delivery) -> None:
        """Post webhooks, and return when all of them are worked on."""
        for headers, body in deliveries:
            assert self._client.post("/webhooks/acme", content=body, headers=headers).status_code == 200
        deadline = time.monotonic() + PATIENCE
        while {event["state"] for event in self._events.list_recent()} != {"done"}:
            assert time.monotonic() < deadline, self._events.list_recent()
            self._worker.run_pass()

    def found(self, words: str, person: str = ADA) -> list[str]:
        """Ids of the documents in which a person finds these words, without the connection's."""
        asked = {"query": words, "user": person, "mode": "lexical"}
        key = ASSISTANT.api_key.get_secret_value()
        answer = self._client.post("/v1/search", json=asked, headers={"Authorization": f"Bearer {key}"})
        results = answer.raise_for_status().json()["results"]
        found = [one["document_id"] for one in results if any(words in chunk["text"] for chunk in one["chunks"])]
        return [document_id.partition("/")[2] for document_id in found]


@contextmanager
def running(settings: Settings, **connection: Any) -> Iterator[Running]:
    """The catalog has time to answer on a busy machine: what is put on the spool comes later than other events."""
    one: Connection = parse_connection({"id": "acme"} | connection)
    used = settings.model_copy(update={"connections": (one,), "assistants": (ASSISTANT,)})
    with (
        pytest.MonkeyPatch.context() as patched,
        Services(used, FakeEmbedder()) as services,
        closing(ConnectorPool()) as connectors,
    ):
        patched.setattr("pipelines.events.inbox._SECONDS_FOR_CATALOG", 60.0)
        yield Running(services, one, connectors)


@pytest.fixture
def company() -> Iterator[Company]:
    """A Slack whose last message is new, and whose first thread began 90 days ago."""
    emulated = slack.Slack(clock=time.time() - 180)
    emulated.channel("C1", "general")
    for number, name in enumerate(("ada", "bob"), start=1):
        emulated.person(f"U{number}", name)
    with slack.serving(emulated) as url:
        yield (
            emulated,
            {"source": "slack", "token": slack.TOKEN, "base_url": url, "webhook_secret": slack.SIGNING_SECRET},
        )
    assert emulated.strayed == []


def old_thread(emulated: slack.Slack) -> tuple[str, str]:
    """A thread of 90 days ago, with so much said since that no listing of what is new shows it; root and reply."""
    began = emulated.clock - 90 * slack.DAY
    root = emulated.say("C1", "Who greases the wheel?", at=began)
    reply = emulated.say("C1", "The younger miller does.", at=began + 60, thread=root)
    for number in range(300):
        emulated.say("C1", f"Mill {number} turns.", at=emulated.clock - 300 + number)
    return root, reply


def test_a_reply_to_a_slack_thread_90_days_old(settings: Settings, company: Company) -> None:
    emulated, connection = company
    root, _ = old_thread(emulated)
    with running(settings, **connection) as headrace:
        late = emulated.say("C1", "Tallow has run out.", thread=root)
        told = {"type": "message", "channel": "C1", "user": "U1", "ts": late, "thread_ts": root}
        headrace.deliver(emulated.delivery(told))
        assert headrace.found("Tallow has run out") == [f"C1/threads/{root}"]


def test_an_edit_of_an_old_slack_message(settings: Settings, company: Company) -> None:
    emulated, connection = company
    root, _ = old_thread(emulated)
    with running(settings, **connection) as headrace:
        emulated.edit("C1", root, "Who greases the axle?")
        changed = emulated.messages["C1"][root]
        headrace.deliver(
            emulated.delivery({"type": "message", "subtype": "message_changed", "channel": "C1", "message": changed})
        )
        assert headrace.found("Who greases the axle") == [f"C1/threads/{root}"]
        assert headrace.found("Who greases the wheel") == []


def test_a_deleted_slack_reply(settings: Settings, company: Company) -> None:
    emulated, connection = company
    root, reply = old_thread(emulated)
    with running(settings, **connection) as headrace:
        assert headrace.found("The younger miller") == [f"C1/threads/{root}"]
        emulated.delete("C1", reply)
        gone = {"ts": reply, "thread_ts": root}
        told = {"subtype": "message_deleted", "channel": "C1", "deleted_ts": reply, "previous_message": gone}
        headrace.deliver(emulated.delivery({"type": "message"} | told))
        assert headrace.found("The younger miller") == []


@pytest.fixture
def repositories() -> Iterator[Repositories]:
    """Two public repositories; the first has an issue."""
    emulated = github.GitHub()
    api, web = emulated.repository("acme/api"), emulated.repository("acme/web")
    emulated.issue(api, "The pump is stuck", "It needs oil.")
    with github.serving(emulated) as url:
        told = {"token": github.TOKEN, "base_url": url, "webhook_secret": github.WEBHOOK_SECRET}
        yield emulated, api, web, {"source": "github"} | told
    assert emulated.strayed == []


def test_a_github_label(settings: Settings, repositories: Repositories) -> None:
    emulated, api, _, connection = repositories
    with running(settings, **connection) as headrace:
        assert headrace.found("urgent") == []
        emulated.edit_issue(api, 1, labels=[{"name": "urgent"}])
        headrace.deliver(emulated.issue_webhook("labeled", api, 1, label={"name": "urgent"}))
        assert headrace.found("urgent") == [f"{api.id}/issues/1"]


def test_a_transferred_github_issue(settings: Settings, repositories: Repositories) -> None:
    emulated, api, web, connection = repositories
    with running(settings, **connection) as headrace:
        assert headrace.found("needs oil") == [f"{api.id}/issues/1"]
        moved = emulated.transfer_issue(api, 1, web)
        changes = {"new_issue": {"number": moved}, "new_repository": web.described()}
        headrace.deliver(
            emulated.issue_webhook("transferred", api, 1, changes=changes),
            emulated.issue_webhook("opened", web, moved),
        )
        assert headrace.found("needs oil") == [f"{web.id}/issues/{moved}"]


@pytest.mark.parametrize("action", ["renamed", "transferred"])
def test_a_renamed_github_repository(settings: Settings, repositories: Repositories, action: str) -> None:
    emulated, api, _, connection = repositories
    with running(settings, **connection) as headrace:
        emulated.rename(api, "mills/water")
        emulated.issue(api, "The belt has torn", "It needs thread.")
        headrace.deliver(emulated.webhook("repository", api, action=action), emulated.issue_webhook("opened", api, 2))
        assert headrace.found("needs oil") == [f"{api.id}/issues/1"]
        assert headrace.found("needs thread") == [f"{api.id}/issues/2"]


def test_a_deleted_github_repository(settings: Settings, repositories: Repositories) -> None:
    emulated, api, _, connection = repositories
    with running(settings, **connection) as headrace:
        assert headrace.found("needs oil") == [f"{api.id}/issues/1"]
        emulated.delete_repository(api)
        emulated.repository("acme/api")
        headrace.deliver(emulated.webhook("repository", api, action="deleted"))
        assert headrace.found("needs oil") == []


def test_a_drive_file_moved_into_a_restricted_folder(settings: Settings) -> None:
    emulated = drive.GoogleDrive()
    plans = emulated.folder("Plans")
    emulated.share(plans, drive.person(ADA))
    emulated.share(plans, drive.person(BOB))
    board = emulated.folder("Board", plans, restricted=True)
    emulated.share(board, drive.person(ADA))
    plan = emulated.doc("Plan", "We buy another mill.", plans)
    with drive.serving(emulated) as url:
        told = {"token_uri": f"{url}/token", "webhook_url": "https://headrace.test/webhooks/acme"}
        connection = {"token": drive.TOKEN, "base_url": url, "webhook_secret": drive.WEBHOOK_SECRET} | told
        with running(settings, source="drive", **connection) as headrace:
            assert len(headrace.found("another mill", BOB)) == 1
            emulated.move(plan, board)
            headrace.deliver(*emulated.notifications())
            assert headrace.found("another mill", BOB) == []
            assert len(headrace.found("another mill", ADA)) == 1
    assert emulated.strayed == []


def test_a_notion_page_in_the_trash_and_restored(settings: Settings) -> None:
    emulated = notion.Notion()
    emulated.person("Ada")
    page = emulated.page("Rules", notion.block("paragraph", "No smoking in the mill."))
    with notion.serving(emulated) as url:
        told = {"token": notion.TOKEN, "base_url": url, "webhook_secret": notion.VERIFICATION_TOKEN}
        with running(settings, source="notion", readers=["public"], **told) as headrace:
            assert headrace.found("No smoking") == [page]
            emulated.trash(page)
            headrace.deliver(emulated.delivery("page.deleted", page))
            assert headrace.found("No smoking") == []
            emulated.trash(page, restore=True)
            headrace.deliver(emulated.delivery("page.undeleted", page))
            assert headrace.found("No smoking") == [page]
    assert emulated.strayed == []
