"""Assistants made and revoked by command while the service runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.errors import UsageError
from pipelines.services import Services
from tests.pipelines.service.conftest import ADA

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
    assert numbers(client, below, user=ADA, filters={"parents_in": ["elsewhere"]}) == set()


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
        (("add", "a", "--identity", "ghost"), "--identity:"),
        (("add", "a", "--source", "sharepoint"), "--source:"),
        (("add", "a", "--reader", "public"), "--identity service"),
        (("add", "a", "--identity", "service", "--reader", "everyone"), "--reader 'everyone'"),
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
