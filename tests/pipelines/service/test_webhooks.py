"""Webhooks: verified over the raw body, kept before they are answered, refused without a trace."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr

from connectors import registry
from connectors.github.settings import GitHubConnection
from connectors.notion.settings import NotionConnection
from connectors.slack.settings import SlackConnection
from pipelines.service_settings import MetricsSettings
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators import notion, slack
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.conftest import METRICS_KEY
from tests.pipelines.service.serving import app_of

SECRET = "a-secret"
ISSUE = {
    "action": "edited",
    "issue": {"number": 7},
    "repository": {"id": 77, "full_name": "acme/api", "private": False},
}
CONNECTIONS = (
    GitHubConnection(id="acme", source="github", token=SecretStr("t"), webhook_secret=SecretStr(SECRET)),
    GitHubConnection(id="other", source="github", token=SecretStr("t"), webhook_secret=SecretStr("another")),
    GitHubConnection(id="deaf", source="github", token=SecretStr("t")),
    NotionConnection(id="pages", source="notion", token=SecretStr("t"), readers=("workspace",)),
    SlackConnection(id="chat", source="slack", token=SecretStr("t"), webhook_secret=SecretStr(slack.SIGNING_SECRET)),
)
TEAM = {"action": "removed", "scope": "team", "member": {"login": "ada"}, "team": {"id": 1}, "organization": {"id": 9}}
TOKEN = "secret_of_notion"
WIKI = """
from typing import Literal
from connectors.registry import Implementation, Source
from connectors.settings import Connection

class WikiConnection(Connection):
    source: Literal["wiki"]

SOURCE = Source(
    name="wiki",
    label="Wiki",
    settings=WikiConnection,
    implementation=lambda: Implementation(connect=lambda connection: None),
)
"""


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    metrics = MetricsSettings(key=SecretStr(METRICS_KEY))
    used = settings.model_copy(update={"connections": CONNECTIONS, "metrics": metrics})
    with Services(used, FakeEmbedder()) as opened:
        yield opened


@pytest.fixture
def client(services: Services) -> TestClient:
    return TestClient(app_of(services))


def deliver(
    client: TestClient,
    body: object,
    *,
    to: str = "acme",
    secret: str = SECRET,
    event: str = "issues",
    delivery: str = "d1",
) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
        "Content-Type": "application/json",
    }
    return client.post(f"/webhooks/{to}", content=content, headers=headers)


def kept(services: Services) -> list[tuple[str, str]]:
    return [(event["kind"], event["state"]) for event in services.catalog.events.list_recent()]


def test_a_signed_delivery_is_kept_once(client: TestClient, services: Services) -> None:
    for _ in range(2):
        assert deliver(client, ISSUE).status_code == 200
    assert kept(services) == [("issues", "pending")]
    (event,) = services.catalog.events.list_recent()
    assert event["changes"] == [
        {
            "scope": "document",
            "unit": "77",
            "document_id": "github:acme/77/issues/7",
            "withdraws": False,
            "unit_deleted": False,
        }
    ]
    assert services.catalog.connections.get("acme").last_event


def test_an_event_about_nothing_that_is_read_is_kept_as_ignored(client: TestClient, services: Services) -> None:
    assert deliver(client, {"zen": "Keep it simple."}, event="ping").status_code == 200
    assert kept(services) == [("ping", "ignored")]


@pytest.mark.parametrize("how", [{"secret": "wrong"}, {"to": "other"}, {"to": "deaf"}])
def test_what_is_not_signed_for_the_connection_leaves_only_a_count(
    client: TestClient, services: Services, how: dict[str, str]
) -> None:
    answer = deliver(client, ISSUE, **how)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
    assert kept(services) == []
    connection = how.get("to", "acme")
    counted = f'headrace_deliveries_total{{connection="{connection}",result="refused"}} 1.0'
    figures = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"})
    assert counted in figures.text


@pytest.fixture
def source_without_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that registers a source, installed as any other is: by its entry point."""
    (tmp_path / "wiki_source.py").write_text(WIKI)
    metadata = tmp_path / "wiki_source-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: wiki-source\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\nwiki = wiki_source:SOURCE\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry._registered.cache_clear()
    yield
    registry._registered.cache_clear()


@pytest.mark.usefixtures("source_without_webhooks")
def test_a_source_without_webhooks_refuses_every_delivery(settings: Settings) -> None:
    connection = registry.parse_connection(
        {"id": "wiki", "source": "wiki", "token": "t", "base_url": "https://wiki.test"}
    )
    with Services(settings.model_copy(update={"connections": (connection,)}), FakeEmbedder()) as services:
        client = TestClient(app_of(services), raise_server_exceptions=False)
        answer = deliver(client, ISSUE, to="wiki")
        assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
        assert kept(services) == []
        assert client.get("/webhooks/wiki").status_code == 405


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({}, b"{}"),
        ({}, b"x" * 100_000),
        ({}, json.dumps({"verification_token": TOKEN}).encode()),
        ({"X-Hub-Signature-256": "sha256=00"}, b"x" * 100_000),
        ({"X-Slack-Signature": "v0=00"}, b"{}"),
        ({"X-Notion-Signature": "sha256=00"}, b"{}"),
        ({"X-Goog-Channel-Token": "x"}, b""),
    ],
)
def test_what_is_not_signed_learns_of_no_connection(
    client: TestClient, headers: dict[str, str], content: bytes
) -> None:
    answers = set()
    for connection in ("acme", "deaf", "pages", "chat", "nobody"):
        answer = client.post(f"/webhooks/{connection}", content=content, headers=headers)
        told = dict(answer.headers) | {"x-request-id": ""}
        answers.add((answer.status_code, json.dumps(answer.json() | {"request_id": ""}), json.dumps(told)))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_an_unsigned_delivery_is_refused_by_its_head(client: TestClient) -> None:
    """More than a delivery may have is not even counted: nothing of it was read."""
    answer = client.post("/webhooks/acme", content=b" " * (6 * 1024 * 1024))
    assert (answer.status_code, answer.headers["connection"]) == (401, "close")


def test_a_delivery_under_another_id_is_the_same_one(client: TestClient, services: Services) -> None:
    for delivery in ("d1", "d2", ""):
        assert deliver(client, ISSUE, delivery=delivery).status_code == 200
    assert len(kept(services)) == 1
    assert deliver(client, ISSUE | {"issue": {"number": 8}}, delivery="d3").status_code == 200
    assert len(kept(services)) == 2


def test_a_delivery_is_known_for_days(client: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(client, ISSUE, delivery="d1")
    monkeypatch.setattr("pipelines.catalog.events.CONTENT_IS_KNOWN_FOR", timedelta(0))
    deliver(client, ISSUE, delivery="d2")
    assert len(kept(services)) == 2


def test_rights_that_change_twice_in_equal_words_are_looked_at_twice(client: TestClient, services: Services) -> None:
    for delivery in ("d1", "d2"):
        assert deliver(client, TEAM, event="membership", delivery=delivery).status_code == 200
    assert len(kept(services)) == 2


def test_a_delivery_under_another_event_is_refused(client: TestClient, services: Services) -> None:
    assert deliver(client, ISSUE, event="repository", delivery="d2").status_code == 400
    assert kept(services) == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "channel": "C\ud800", "ts": "1772442000.000100"},
        {"type": "message", "channel": "C1", "ts": "1772442000.000100", "text": "\udfff"},
        {"type": "message", "channel": "C\x00", "ts": "1772442000.000100"},
    ],
)
def test_half_a_character_in_a_signed_slack_event_is_a_bad_request(
    client: TestClient, services: Services, event: dict[str, str]
) -> None:
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event}).encode()
    answer = client.post("/webhooks/chat", content=body, headers=slack.signature(body, int(time.time())))
    assert answer.status_code == 400
    assert kept(services) == []


@pytest.mark.parametrize(
    "change", [{"action": "\ud800"}, {"repository": {"id": 77, "full_name": "acme/\udfff"}}, {"sender": "\ud83d"}]
)
def test_half_a_character_in_a_signed_github_event_is_a_bad_request(
    client: TestClient, services: Services, change: dict[str, object]
) -> None:
    assert deliver(client, ISSUE | change).status_code == 400
    assert kept(services) == []


def offer(client: TestClient, token: str, *, signed: bool = True) -> int:
    body = json.dumps({"verification_token": token}).encode()
    headers = notion.signature(body, token) if signed else {}
    return client.post("/webhooks/pages", content=body, headers=headers).status_code


def test_a_secret_is_taken_in_a_window_alone_and_only_the_first(client: TestClient, services: Services) -> None:
    windows = services.catalog.verification_windows
    assert offer(client, TOKEN) == 401
    windows.open("pages")
    assert windows.offered("pages") is None
    assert [offer(client, token) for token in (TOKEN, "another", TOKEN)] == [200, 401, 200]
    assert windows.offered("pages") == TOKEN
    windows.close("pages")
    assert (offer(client, TOKEN), windows.offered("pages")) == (401, None)


def test_a_window_ends(client: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.catalog.verification_windows.OPEN_FOR", timedelta(0))
    services.catalog.verification_windows.open("pages")
    assert offer(client, TOKEN) == 401


def test_secrets_that_nobody_waits_for_leave_one_line_of_advice(client: TestClient, services: Services) -> None:
    for number in range(30):
        assert offer(client, f"{TOKEN}{number}", signed=number % 2 == 0) == 401
    (event,) = services.catalog.events.list_recent()
    assert "headrace events verify pages" in event["reason"]
    assert services.catalog.events.body(event["id"]) == b""
    assert services.catalog.connections.get("pages").last_event is None


def test_the_secret_in_use_is_confirmed_and_not_kept(settings: Settings) -> None:
    known = CONNECTIONS[3].model_copy(update={"webhook_secret": SecretStr(TOKEN)})
    with Services(settings.model_copy(update={"connections": (known,)}), FakeEmbedder()) as services:
        client = TestClient(app_of(services))
        assert [offer(client, TOKEN, signed=signed) for signed in (True, False)] == [200, 200]
        assert offer(client, "another") == 401
        for event in services.catalog.events.list_recent():
            assert TOKEN.encode() not in (services.catalog.events.body(event["id"]) or b"")


def test_a_signed_delivery_that_does_not_tell_its_object_is_taken(client: TestClient, services: Services) -> None:
    assert deliver(client, json.dumps({"action": "edited"}).encode()).status_code == 200
    assert len(kept(services)) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_signed_delivery_that_cannot_be_read_is_refused_and_not_kept(
    client: TestClient, services: Services, body: object
) -> None:
    assert deliver(client, body).status_code == 400
    assert kept(services) == []


def test_a_delivery_that_is_too_large_is_refused(client: TestClient, services: Services) -> None:
    assert deliver(client, b" " * (10 * 1024 * 1024)).status_code == 413
    assert kept(services) == []


def test_a_large_delivery_is_taken(client: TestClient, services: Services) -> None:
    assert deliver(client, ISSUE | {"padding": "x" * 1_000_000}).status_code == 200
    assert kept(services) == [("issues", "pending")]
