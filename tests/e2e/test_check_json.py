"""`check --json` is JSON, and tries what can be tried, where something that Headrace itself needs cannot be used; and
what a sync would come to late is found before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Folder
from tests.emulators import github
from tests.emulators.company import free_port
from tests.emulators.slack import TOKEN, Slack, serving


def away(_: Path) -> dict[str, Any]:
    return {"catalog": {"url": f"postgresql://ada:t0ps3cret@127.0.0.1:{free_port()}/headrace"}}


def damaged(folder: Path) -> dict[str, Any]:
    (folder / "catalog.db").write_text("no database" * 1_000)
    return {"catalog": {"url": "sqlite:///catalog.db"}}


def a_folder(folder: Path) -> dict[str, Any]:
    (folder / "catalog.db").mkdir()
    return {"catalog": {"url": "sqlite:///catalog.db"}}


def in_no_folder(_: Path) -> dict[str, Any]:
    return {"catalog": {"url": "sqlite:////proc/none/catalog.db"}}


def state_in_a_file(folder: Path) -> dict[str, Any]:
    (folder / "state").touch()
    return {"state_dir": "state"}


def state_that_cannot_be_made(_: Path) -> dict[str, Any]:
    return {"state_dir": "/proc/none", "catalog": {"url": "sqlite:///catalog.db"}}


def unwritable_log(_: Path) -> dict[str, Any]:
    return {"audit": {"file": "/proc/none/audit.jsonl"}}


BROKEN = [away, damaged, a_folder, in_no_folder, state_in_a_file, state_that_cannot_be_made, unwritable_log]


@pytest.mark.one_case
@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_used_is_a_finding_among_others(
    folder: Folder, broken: Callable[[Path], dict[str, Any]]
) -> None:
    workspace = Slack()
    workspace.channel("C1", "general")
    with serving(workspace) as url:
        connection = {"id": "acme", "source": "slack", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], **broken(folder.path))
        ran = folder.headrace("check", "--json")
    assert ran.code == 1, ran
    assert "Traceback" not in ran.errors
    assert "t0ps3cret" not in ran.output + ran.errors
    findings = {one["subject"]: one["ok"] for one in ran.json["findings"]}
    own = [ok for subject, ok in findings.items() if subject.startswith(("catalog", "state_dir", "audit"))]
    assert own.count(False) == 1
    assert any(ok for subject, ok in findings.items() if subject.startswith("acme: "))
    assert "Traceback" not in folder.headrace("status").errors


def golden_that_is_not_there(_: Path) -> dict[str, Any]:
    return {"golden": {"file": "golden.jsonl", "recall_at_10": 0.5}}


def golden_that_is_none(folder: Path) -> dict[str, Any]:
    (folder / "golden.jsonl").write_text('{"query": "what?"}\n')
    return golden_that_is_not_there(folder)


def landing_in_a_file(folder: Path) -> dict[str, Any]:
    (folder / "landing").touch()
    return {"landing": {"url": "file://landing"}}


def landing_that_cannot_be_made(_: Path) -> dict[str, Any]:
    return {"landing": {"url": "file:///proc/none"}}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (golden_that_is_not_there, "golden.file: {folder}/golden.jsonl: cannot be read"),
        (golden_that_is_none, "golden.file: {folder}/golden.jsonl: line 1: "),
        (landing_in_a_file, "landing.url: {folder}/landing is no folder"),
        (landing_that_cannot_be_made, "landing.url: /proc/none takes no file"),
    ],
)
def test_what_a_sync_would_come_to_late_is_found(
    folder: Folder, broken: Callable[[Path], dict[str, Any]], said: str
) -> None:
    folder.settings(**broken(folder.path))
    findings = folder.headrace("check", "--json").json["findings"]
    failed = [f"{one['subject']}: {one['detail']}" for one in findings if not one["ok"]]
    assert [one for one in failed if one.startswith(said.format(folder=folder.path))], failed


def test_settings_without_connections_are_not_well(folder: Folder) -> None:
    (folder.path / "headrace.yaml").write_text("# nothing yet\n")
    ran = folder.headrace("check")
    assert (ran.code, ran.errors) == (1, "")
    assert "fail  connections: there are none, and nothing to read: `headrace init` writes" in ran.output
    (folder.path / "landing").mkdir()
    assert "landing takes files" in folder.headrace("check").output
    assert list((folder.path / "landing").iterdir()) == [], "what was tried is gone"


def test_a_server_without_discussions_is_said_to_have_none_in_the_answer_alone(folder: Folder) -> None:
    server = github.GitHub(graphql=False)
    server.repository("acme/api").has_discussions = None
    with github.serving(server) as url:
        folder.settings(connections=[{"id": "acme", "source": "github", "token": github.TOKEN, "base_url": url}])
        ran = folder.headrace("check")
    assert ran.errors == ""
    (line,) = (one for one in ran.output.splitlines() if "GraphQL" in one)
    assert line.startswith("ok    acme: discussions: no discussions are read, because the server has no GraphQL API")
