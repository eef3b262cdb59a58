"""Webhooks: verified over the raw body, kept before they are answered, refused without a trace."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr

from connectors import registry
from connectors.github.settings import GitHubConnection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
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
)
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
    with Services(settings.model_copy(update={"connections": CONNECTIONS}), FakeEmbedder()) as opened:
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
        {"scope": "document", "unit": "77", "document_id": "github:acme/77/issues/7", "withdraws": False}
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
    assert counted in client.get("/metrics").text


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


def test_an_unknown_connection_is_not_found(client: TestClient) -> None:
    assert deliver(client, ISSUE, to="nobody").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", json.dumps({"action": "edited"}).encode()])
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
