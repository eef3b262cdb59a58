"""The emulated Slack with all that a read asks for."""

from __future__ import annotations

import pytest

from tests.emulators.slack import DAY, START, Slack


@pytest.fixture
def slack() -> Slack:
    workspace = Slack(cursors=False, bot_id="B1")
    workspace.bots["B1"] = {"id": "B1", "name": "headrace"}
    workspace.channel("C1", "general")
    workspace.channel("C2", "board", private=True)
    workspace.channel("G1", "mpdm-ada--bo-1", private=True, is_mpim=True)
    workspace.person("U1", "ada")
    workspace.person("U2", "bo")
    workspace.members = {"C2": ["U1"], "G1": ["U1", "U2"]}
    root = workspace.say("C1", "who broke it?", at=START + DAY)
    workspace.say("C1", "me", thread=root, user="U2")
    workspace.share("C1", "F1", b"twelve spokes")
    return workspace
