"""`check --json` is JSON, and tries what can be tried, where something that Headrace itself needs cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Folder
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
    assert [ok for subject, ok in findings.items() if subject.startswith(("catalog", "state_dir", "audit"))] == [False]
    assert any(ok for subject, ok in findings.items() if subject.startswith("acme: "))
    assert "Traceback" not in folder.headrace("status").errors
