"""`headrace check` names patterns to which no unit answers, at their place in the settings, with what is near; so does
whatever lists units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Folder
from tests.emulators.slack import TOKEN, Slack, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    workspace = Slack()
    workspace.channel("C1", "general")
    workspace.channel("C2", "random")
    with serving(workspace) as address:
        yield address


def findings(folder: Folder, url: str, **patterns: list[str]) -> dict[str, str]:
    """What `check` says against patterns, by subject."""
    connection: dict[str, Any] = {"id": "acme", "source": "slack", "token": TOKEN, "base_url": url}
    folder.settings(connections=[connection | patterns])
    found = folder.headrace("check", "--json").json["findings"]
    return {one["subject"]: one["detail"] for one in found if "clude[" in one["subject"] and not one["ok"]}


def test_patterns_without_a_unit_are_named_with_those_that_are_near(folder: Folder, url: str) -> None:
    assert findings(
        folder, url, include=["general", "gen*", "C2", "generol", "zzz-*"], exclude=["randon", "old-*"]
    ) == {
        "connections[0].include[3]": "'generol' takes in no unit; there are 'general'",
        "connections[0].include[4]": "'zzz-*' takes in no unit; `headrace units` lists what there is",
        "connections[0].exclude[0]": "'randon' leaves out no unit; there are 'random'",
    }


def test_nothing_is_said_of_patterns_that_decide_or_are_not_written(folder: Folder, url: str) -> None:
    assert findings(folder, url) == {}
    assert findings(folder, url, include=["*"], exclude=["random"]) == {}


def test_whatever_lists_units_names_patterns_that_take_in_none(folder: Folder, url: str) -> None:
    include = ["general", "zzz-*"]
    folder.settings(
        connections=[{"id": "acme", "source": "slack", "token": TOKEN, "base_url": url, "include": include}]
    )
    line = "connections[0].include[1]: 'zzz-*' takes in no unit; `headrace check` has what is near"
    assert "zzz" not in folder.headrace("status").output, "nothing was listed yet"
    assert folder.headrace("units").errors == f"idle  {line}\n"
    assert f"idle  {line}" in folder.headrace("status").output
    assert folder.headrace("status", "--json").json["connections"][0]["idle_includes"] == [line]


@pytest.mark.slow
def test_a_sync_names_them_too(folder: Folder, url: str) -> None:
    folder.settings(
        connections=[{"id": "acme", "source": "slack", "token": TOKEN, "base_url": url, "include": ["z-*"]}]
    )
    assert "idle  connections[0].include[0]: 'z-*' takes in no unit" in folder.headrace("sync").errors
