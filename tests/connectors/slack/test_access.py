"""Who may read what: unknown means nobody."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.slack.access import channel_readers, is_colleague, is_member, is_private
from connectors.slack.payloads import SlackChannel, SlackUser
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import Workspace, reply


def user(fields: dict[str, Any]) -> SlackUser:
    return SlackUser.model_validate({"id": "U1"} | fields)


@pytest.mark.parametrize(
    ("channel", "private"),
    [
        ({"is_private": False}, False),
        ({"is_private": True}, True),
        ({}, True),
        ({"is_private": None}, True),
        ({"is_private": "false"}, True),
        ({"is_private": 0}, True),
        ({"is_private": False, "is_mpim": True}, True),
        ({"is_private": False, "is_mpim": False}, False),
    ],
)
def test_a_channel_is_public_only_where_it_says_so(channel: dict[str, Any], private: bool) -> None:
    found = SlackChannel.model_validate({"id": "C1"} | channel)
    assert is_private(found) is private
    assert channel_readers("acme", found) == (("group:acme:C1",) if private else ("group:acme:workspace",))


@pytest.mark.parametrize(
    ("fields", "colleague", "member"),
    [
        ({}, True, True),
        ({"team_id": "T1"}, True, True),
        ({"team_id": "T2"}, False, False),
        ({"team_id": ["T1"]}, False, False),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T3", "T1"]}}, True, True),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T3"]}}, False, False),
        ({"team_id": "T2", "enterprise_user": "T1"}, False, False),
        ({"deleted": True}, False, False),
        ({"deleted": "since Monday"}, False, False),
        ({"is_bot": True}, False, False),
        ({"is_stranger": True}, False, False),
        ({"id": "USLACKBOT"}, False, False),
        ({"is_restricted": True}, True, False),
        ({"is_ultra_restricted": True}, True, False),
    ],
)
def test_who_belongs_to_a_workspace(fields: dict[str, Any], colleague: bool, member: bool) -> None:
    assert (is_colleague(user(fields), "T1"), is_member(user(fields), "T1")) == (colleague, member)


@pytest.mark.parametrize(("fields", "member"), [({"team_id": "T2"}, True), ({"team_id": "T2", "deleted": True}, False)])
def test_without_a_workspace_of_ones_own_nobody_is_of_another(fields: dict[str, Any], member: bool) -> None:
    """A server that does not say whose the token is."""
    assert is_member(user(fields), "") is member


def test_memberships_are_of_the_workspace_private_channels_and_user_groups(
    slack: Workspace, connector: SlackConnector
) -> None:
    slack.channels["C2"] = {"id": "C2", "name": "board", "is_private": True}
    slack.users["U4"] = {"id": "U4", "profile": {"email": "other@example.com"}, "team_id": "T2"}
    slack.users["U5"] = {"id": "U5", "profile": {}}
    slack.members = {"C1": ["U1", "U2"], "C2": ["U1", "U3", "U4", "U5", "U9"]}
    slack.usergroups = {
        "S1": {"id": "S1", "users": ["U2", "U4"]},
        "S2": {"id": "S2", "users": ["U1"], "date_delete": 1},
        "S3": {"id": "S3"},
    }
    assert sorted((one.group, one.email) for one in connector.memberships()) == [
        ("C2", "ada@example.com"),
        ("C2", "guest@example.com"),
        ("S1", "bo@example.com"),
        ("workspace", "ada@example.com"),
        ("workspace", "bo@example.com"),
    ]


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found"])
def test_a_private_channel_whose_members_are_out_of_reach_has_none(
    slack: Workspace, connector: SlackConnector, error: str
) -> None:
    slack.channels["C2"] = {"id": "C2", "name": "board", "is_private": True}
    refused = reply(200, {"ok": False, "error": error})
    slack.fault = lambda method, form: refused if method == "conversations.members" else None
    assert {one.group for one in connector.memberships()} == {"workspace"}
