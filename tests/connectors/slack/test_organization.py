"""A token of an organisation (Enterprise Grid): each list is asked for by workspace, and each has its own members.

https://docs.slack.dev/enterprise/organization-ready-apps
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from connectors.contract import Membership
from connectors.errors import RequestRejected
from connectors.model import Document, Unit
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import open_connector
from tests.emulators.slack import START, Payload, Slack

CHANNELS = {"T1": ["C1", "C3", "C4"], "T2": ["C2", "C3"]}
MISSING = {"ok": False, "error": "missing_argument"}


def by_team(answer: Callable[[Payload], Payload], key: str, ids: dict[str, list[str]]) -> Callable[[Payload], Payload]:
    """What a method lists, of the workspace that is named; an organisation's token has to name one."""

    def answer_of_team(form: Payload) -> Payload:
        if form.get("team_id") not in ids:
            return MISSING
        found = answer(form)
        return found | {key: [one for one in found[key] if one["id"] in ids[form["team_id"]]]}

    return answer_of_team


@pytest.fixture
def slack(slack: Slack) -> Slack:
    slack.users["U1"]["team_id"], slack.users["U2"]["team_id"] = "T1", "T2"
    slack.person("U4", "eve", team_id="T3", enterprise_user={"teams": ["T1", "T2"]})
    slack.channel("C2", "sales")
    slack.channel("C3", "both")
    slack.channel("C4", "board", private=True)
    slack.members["C4"] = ["U1", "U2"]
    me = {"url": "https://acme.enterprise.slack.test/", "user": "headrace", "team": "Acme", "team_id": "E1"}
    slack.answers = {
        "auth.test": lambda form: me | {"enterprise_id": "E1", "is_enterprise_install": True},
        "auth.teams.list": lambda form: {"teams": [{"id": "T1", "name": "One"}, {"id": "T2", "name": "Two"}]},
        "conversations.list": by_team(slack.conversations_list, "channels", CHANNELS),
        "users.list": by_team(slack.users_list, "members", {"T1": ["U1", "U3", "U4"], "T2": ["U2", "U4"]}),
        "usergroups.list": by_team(slack.usergroups_list, "usergroups", {"T1": [], "T2": []}),
        "files.list": by_team(slack.files_list, "files", {"T1": ["F1"], "T2": []}),
    }
    return slack


def readers_of(connector: SlackConnector) -> dict[str, tuple[str, ...]]:
    return {unit.id: unit.readers for unit in connector.units()}


def test_the_channels_of_all_workspaces_are_read_by_the_members_of_each(connector: SlackConnector) -> None:
    assert readers_of(connector) == {
        "C1": ("group:acme:T1",),
        "C2": ("group:acme:T2",),
        "C3": ("group:acme:T1", "group:acme:T2"),
        "C4": ("group:acme:C4",),
    }
    found = {(one.group, one.email.partition("@")[0]) for one in connector.memberships() if isinstance(one, Membership)}
    assert found == {("T1", "ada"), ("T1", "eve"), ("T2", "bo"), ("T2", "eve"), ("C4", "ada"), ("C4", "bo")}
    assert all(finding.ok for finding in connector.check())


@pytest.mark.parametrize(
    ("channel", "listed", "readers"),
    [
        ({}, ("group:acme:T2",), ("group:acme:T2",)),
        ({"context_team_id": "T1"}, ("group:acme:T2",), ("group:acme:T1",)),
        ({"shared_team_ids": ["T1", "T9"]}, (), ("group:acme:T1",)),
        ({"shared_team_ids": ["T9"]}, ("group:acme:C1",), ("group:acme:C1",)),
        ({}, (), ("group:acme:C1",)),
        ({"is_private": True, "context_team_id": "T1"}, ("group:acme:T1",), ("group:acme:C1",)),
    ],
)
def test_a_channel_that_is_looked_at_alone_has_the_readers_that_it_tells_or_that_are_known(
    slack: Slack, connector: SlackConnector, channel: Payload, listed: tuple[str, ...], readers: tuple[str, ...]
) -> None:
    """Unknown means nobody."""
    slack.say("C1", "the mill turns", at=START)
    slack.channels["C1"] |= channel
    (day,) = connector.fetch(Unit("C1", "general", readers=listed), ["slack:acme/C1/days/2026-03-01"])
    assert isinstance(day, Document)
    assert day.readers == readers


def test_a_token_that_is_not_told_of_workspaces_says_so(slack: Slack) -> None:
    slack.answers["auth.teams.list"] = lambda form: {"ok": False, "error": "not_an_enterprise"}
    with closing(open_connector(slack)) as connector:
        (_, channels) = connector.check()
        assert "auth.teams.list" in channels.detail
        with pytest.raises(RequestRejected):
            list(connector.units())
