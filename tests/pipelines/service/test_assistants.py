"""Assistants made and revoked by command while the service runs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from typer.testing import CliRunner

from connectors.contract import Membership
from pipelines.cli.app import app
from pipelines.errors import UsageError
from pipelines.services import Services
from pipelines.settings import DEMO_KEY, AssistantSettings
from tests.pipelines.service.conftest import ADA, BO, SEES
from tests.pipelines.service.serving import app_of

SETTINGS = "assistants: [{id: fixed, api_key: a-key-that-nobody-guesses}]"


@pytest.fixture
def folder(services: Services) -> Path:
    return services.settings.directory


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    (folder / "headrace.yaml").write_text(SETTINGS)
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["assistants", *arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0
        return json.loads(done.stdout.splitlines()[-1])

    return run


def numbers(client: TestClient, key: str, **body: Any) -> set[int] | int:
    answer = client.post("/v1/search", headers={"Authorization": f"Bearer {key}"}, json={"query": "certificate"} | body)
    if answer.status_code != 200:
        return answer.status_code
    return {int(one["document_id"].rpartition("/")[2]) for one in answer.json()["results"]}


def test_a_key_works_from_its_making_to_its_revocation(client: TestClient, command: Callable[..., Any]) -> None:
    key = command("add", "robot-2", "--identity", "service", "--reader", f"user:{ADA}")["api_key"]
    assert numbers(client, key) == {1, 2}
    command("revoke", "robot-2")
    assert numbers(client, key) == 401
    again = command("add", "robot-2")["api_key"]
    assert (numbers(client, key), numbers(client, again), numbers(client, again, user=ADA)) == (401, 403, {1, 2})


def test_a_scope_narrows_what_a_made_assistant_sees(client: TestClient, command: Callable[..., Any]) -> None:
    slack = command("add", "slack-only", "--source", "slack")["api_key"]
    below = command("add", "below", "--parent", "github:acme/acme/api", "--parent", "other")["api_key"]
    assert numbers(client, slack, user=ADA) == set()
    assert numbers(client, below, user=ADA) == {1, 2}
    assert numbers(client, below, user=ADA, filters={"parents_in": ["elsewhere"]}) == 422


def test_the_key_of_a_person_sees_what_she_sees_by_name(client: TestClient, command: Callable[..., Any]) -> None:
    for person, sees in SEES.items():
        added = command("add", "--for", person.title())
        assert (added["assistant"]["person"], added["assistant"]["identity"]) == (person, "person")
        assert numbers(client, added["api_key"]) == numbers(client, added["api_key"], user=person.upper()) == sees
        assert numbers(client, added["api_key"], user="cy@example.com") == 403
        command("revoke", added["assistant"]["id"])
        assert numbers(client, added["api_key"]) == 401


def test_who_leaves_a_group_loses_it_with_her_own_key(
    client: TestClient, services: Services, command: Callable[..., Any]
) -> None:
    key = command("add", "bos", "--for", BO)["api_key"]
    services.catalog.memberships.replace("acme", [])
    assert numbers(client, key) == {1}
    services.catalog.memberships.replace("acme", [Membership("team", BO)])
    assert numbers(client, key) == {1, 3}


@pytest.mark.parametrize("path", ["/v1/vector_stores/adas-own/search", "/v1/documents/x", "/mcp"])
def test_no_interface_lets_the_key_of_a_person_name_another(
    client: TestClient, command: Callable[..., Any], path: str
) -> None:
    key = command("add", "adas-own", "--for", ADA)["api_key"]
    method = "GET" if "documents" in path else "POST"
    headers = {"Authorization": f"Bearer {key}", "X-Headrace-User": BO}
    refused = client.request(method, path, headers=headers, json=None if method == "GET" else {"query": "a"})
    assert (refused.status_code, "another person" in refused.json()["detail"]) == (403, True)
    command("revoke", "adas-own")


def test_the_list_says_whose_a_key_is_and_when_it_was_used(client: TestClient, command: Callable[..., Any]) -> None:
    key = command("add", "used", "--for", ADA)["api_key"]
    command("add", "unused")
    assert numbers(client, key) == {1, 2}
    deadline = time.monotonic() + 10  # it is written beside the answer
    while not (rows := {one["id"]: one for one in command("list")["assistants"]})["used"]["last_used_at"]:
        assert time.monotonic() < deadline
    assert (rows["used"]["person"], rows["unused"]["last_used_at"]) == (ADA, None)
    assert datetime.now(UTC) - datetime.fromisoformat(rows["used"]["last_used_at"]) < timedelta(minutes=1)
    command("revoke", "used")


def test_a_use_that_cannot_be_recorded_fails_no_request(
    client: TestClient, services: Services, command: Callable[..., Any]
) -> None:
    key = command("add", "unrecorded", "--for", ADA)["api_key"]
    with closing(sqlite3.connect(services.settings.directory / ".headrace/catalog.db")) as database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON assistants BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        database.commit()
        assert numbers(client, key) == {1, 2}
        database.execute("DROP TRIGGER full")
        database.commit()
    command("revoke", "unrecorded")


def test_only_a_hash_of_the_key_is_kept(command: Callable[..., Any], folder: Path) -> None:
    key = command("add", "kept")["api_key"]
    assert len(key) > 43
    kept = b"".join(file.read_bytes() for file in folder.rglob("*catalog.db*"))
    assert (key.encode() in kept, b"kept" in kept) == (False, True)


def test_the_list_names_all_and_no_key(command: Callable[..., Any]) -> None:
    key = command("add", "made", "--source", "slack")["api_key"]
    command("revoke", "made")
    listed = command("list")
    states = {one["id"]: (one["from"], bool(one["revoked_at"])) for one in listed["assistants"]}
    assert (states["fixed"], states["made"]) == (("settings", False), ("command", True))
    assert key not in json.dumps(listed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "fixed"), "is in the settings"),
        (("add", "Wrong Id"), "ID:"),
        (("add",), "name the assistant"),
        (("add", "sign-in"), "reserved"),
        (("add", "--for", "ada"), "--for: must be an e-mail address"),
        (("add", "--for", ADA, "--identity", "service"), "no service's"),
        (("add", "--for", ADA, "--reader", "public"), "--identity service"),
        (("add", "a", "--identity", "ghost"), "--identity:"),
        (("add", "a", "--source", "sharepoint"), "--source:"),
        (("add", "a", "--reader", "public"), "--identity service"),
        (("add", "a", "--identity", "service", "--reader", "everyone"), "--reader: must be public, user:<"),
        (("add", "a", "--identity", "service", "--reader", "user:ada"), "--reader: must be public, user:<"),
        (("revoke", "nobody"), "no assistant 'nobody'"),
        (("revoke", "fixed"), "is in the settings"),
    ],
)
def test_wrong_use_says_what_is_wrong(command: Callable[..., Any], arguments: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        command(*arguments)


def test_an_id_in_use_is_not_given_twice(command: Callable[..., Any]) -> None:
    command("add", "one")
    with pytest.raises(UsageError, match="revoke it first"):
        command("add", "one")


@pytest.mark.parametrize(("header", "status"), [("", 200), ("X-Forwarded-For", 403), ("Forwarded", 403)])
def test_the_key_of_the_demo_is_not_taken_through_a_proxy(services: Services, header: str, status: int) -> None:
    demo = AssistantSettings(id="demo", api_key=SecretStr(DEMO_KEY))
    client = TestClient(app_of(services, services.settings.model_copy(update={"assistants": (demo,)})))
    headers = {"Authorization": f"Bearer {DEMO_KEY}"} | ({header: "for=192.0.2.1"} if header else {})
    answer = client.post("/v1/search", headers=headers, json={"query": "certificate", "user": ADA})
    assert (answer.status_code, "through a proxy" in answer.text) == (status, status == 403)
