"""Webhooks: verified over the raw body, kept before they are answered, refused without a trace."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from pipelines.services import Services
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.serving import app_of

SECRET = "a-secret"
ISSUE = {"action": "edited", "issue": {"number": 7}, "repository": {"full_name": "acme/api", "private": False}}
CONNECTIONS = (
    GitHubConnection(id="acme", source="github", token=SecretStr("t"), webhook_secret=SecretStr(SECRET)),
    GitHubConnection(id="other", source="github", token=SecretStr("t"), webhook_secret=SecretStr("another")),
    GitHubConnection(id="deaf", source="github", token=SecretStr("t")),
)


@pytest.fixture
def services(settings):
    with Services(settings.model_copy(update={"connections": CONNECTIONS}), FakeEmbedder()) as opened:
        yield opened


@pytest.fixture
def client(services):
    return TestClient(app_of(services))


def deliver(client, body, *, to="acme", secret=SECRET, event="issues", delivery="d1"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
        "Content-Type": "application/json",
    }
    return client.post(f"/webhooks/{to}", content=content, headers=headers)


def kept(services):
    return [(event["kind"], event["state"]) for event in services.catalog.events.list_recent()]


def test_a_signed_delivery_is_kept_once(client, services):
    for _ in range(2):
        assert deliver(client, ISSUE).status_code == 200
    assert kept(services) == [("issues", "pending")]
    (event,) = services.catalog.events.list_recent()
    assert event["changes"] == [
        {"scope": "document", "unit": "acme/api", "document_id": "github:acme/acme/api/issues/7"}
    ]
    assert services.catalog.connections.get("acme").last_event


def test_an_event_about_nothing_that_is_read_is_kept_as_ignored(client, services):
    assert deliver(client, {"zen": "Keep it simple."}, event="ping").status_code == 200
    assert kept(services) == [("ping", "ignored")]


@pytest.mark.parametrize("how", [{"secret": "wrong"}, {"to": "other"}, {"to": "deaf"}])
def test_what_is_not_signed_for_the_connection_leaves_only_a_count(client, services, how):
    answer = deliver(client, ISSUE, **how)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")
    assert kept(services) == []
    connection = how.get("to", "acme")
    counted = f'headrace_deliveries_total{{connection="{connection}",result="refused"}} 1.0'
    assert counted in client.get("/metrics").text


def test_an_unknown_connection_is_not_found(client):
    assert deliver(client, ISSUE, to="nobody").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", json.dumps({"action": "edited"}).encode()])
def test_a_signed_delivery_that_cannot_be_read_is_refused_and_not_kept(client, services, body):
    assert deliver(client, body).status_code == 400
    assert kept(services) == []


def test_a_delivery_that_is_too_large_is_refused(client, services):
    assert deliver(client, b" " * (10 * 1024 * 1024)).status_code == 413
    assert kept(services) == []


def test_a_large_delivery_is_taken(client, services):
    assert deliver(client, ISSUE | {"padding": "x" * 1_000_000}).status_code == 200
    assert kept(services) == [("issues", "pending")]
