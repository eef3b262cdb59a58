"""Who may read what: unknown means nobody."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract import Membership, MembershipItem, UnreadableGroup
from connectors.errors import AuthenticationFailed
from connectors.slack.access import channel_readers, is_colleague, is_member, is_private
from connectors.slack.payloads import SlackChannel, SlackUser
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import reply
from tests.emulators.slack import Slack


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
    readers = channel_readers("acme", found, ["workspace"])
    assert readers == (("group:acme:C1",) if private else ("group:acme:workspace",))


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
    slack: Slack, connector: SlackConnector
) -> None:
    slack.channels["C2"] = {"id": "C2", "name": "board", "is_private": True}
    slack.users["U4"] = {"id": "U4", "profile": {"email": "other@acme.test"}, "team_id": "T2"}
    slack.users["U5"] = {"id": "U5", "profile": {}}
    slack.members = {"C1": ["U1", "U2"], "C2": ["U1", "U3", "U4", "U5", "U9"]}
    slack.groups = {
        "S1": {"id": "S1", "users": ["U2", "U4"]},
        "S2": {"id": "S2", "users": ["U1"], "date_delete": 1},
        "S3": {"id": "S3"},
    }
    assert sorted((one.group, one.email) for one in connector.memberships() if isinstance(one, Membership)) == [
        ("C2", "ada@acme.test"),
        ("C2", "guest@acme.test"),
        ("S1", "bo@acme.test"),
        ("workspace", "ada@acme.test"),
        ("workspace", "bo@acme.test"),
    ]


def test_accounts_are_all_whom_the_list_of_people_has_told(slack: Slack, connector: SlackConnector) -> None:
    slack.users["U2"]["deleted"] = True
    assert list(connector.accounts()) == []  # no request is sent for them
    list(connector.memberships())
    accounts = {one.id: one for one in connector.accounts()}
    assert accounts.keys() == slack.users.keys()
    shown = slack.users["U1"]["profile"]
    assert (accounts["U1"].name, accounts["U1"].emails) == (
        shown.get("display_name") or shown.get("real_name") or slack.users["U1"]["name"],
        (shown["email"],),
    )


def told(connector: SlackConnector) -> dict[str, set[str] | None]:
    """Members by group; None where they cannot be told."""
    groups: dict[str, set[str] | None] = {}
    one: MembershipItem
    for one in connector.memberships():
        if isinstance(one, UnreadableGroup):
            groups[one.group] = None
        elif isinstance(one, Membership):
            found = groups.setdefault(one.group, set())
            assert found is not None
            found.add(one.email.partition("@")[0])
    return groups


@pytest.fixture
def private(slack: Slack) -> Slack:
    """Two private channels beside the public one; Ada is in both, Bo has left the workspace."""
    for channel in ("C2", "C3"):
        slack.channels[channel] = {"id": channel, "name": channel.lower(), "is_private": True}
    slack.users["U2"]["deleted"] = True
    slack.members = {"C2": ["U1", "U2", "U9"], "C3": ["U1", "U3"]}
    return slack


def refusing(slack: Slack, method: str, error: str, **form: str) -> None:
    refused = reply(200, {"ok": False, "error": error})
    slack.interrupt = lambda asked, sent: refused if asked == method and form.items() <= sent.items() else None


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found", "internal_error", "odd_error"])
def test_a_private_channel_whose_members_are_refused_cannot_be_told(
    private: Slack, connector: SlackConnector, error: str
) -> None:
    refusing(private, "conversations.members", error, channel="C2")
    assert told(connector) == {"workspace": {"ada"}, "C2": None, "C3": {"ada", "guest"}}


@pytest.mark.parametrize("error", ["missing_scope", "internal_error"])
def test_without_the_list_of_people_members_are_asked_for_one_by_one(
    private: Slack, connector: SlackConnector, error: str
) -> None:
    refusing(private, "users.list", error)
    assert told(connector) == {"workspace": None, "C2": {"ada"}, "C3": {"ada", "guest"}}
    assert [form["user"] for method, form in private.calls if method == "users.info"] == ["U1", "U2", "U9", "U3"]


def test_too_many_people_are_not_asked_for_one_by_one(
    private: Slack, connector: SlackConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.slack.access.MOST_LOOKED_UP", 3)
    refusing(private, "users.list", "missing_scope")
    assert told(connector) == {"workspace": None, "C2": {"ada"}, "C3": None}
    (reason,) = [
        one.reason for one in connector.memberships() if isinstance(one, UnreadableGroup) and one.group == "C3"
    ]
    assert reason == "users.list cannot be read, and its people are too many to be asked for one by one"


def test_channels_whose_members_are_not_asked_for_any_more_have_the_reason_of_the_last(
    private: Slack, connector: SlackConnector
) -> None:
    """A few in a row were refused. Conversations of several people have a scope of their own, and are asked for."""
    channels = [f"C{number}" for number in range(2, 6)]
    for channel in channels:
        private.channels[channel] = {"id": channel, "name": channel.lower(), "is_private": True}
    private.channels["G1"] = {"id": "G1", "name": "mpdm-ada--bo-1", "is_mpim": True, "is_private": True}
    private.members["G1"] = ["U1"]
    private.interrupt = lambda method, form: (
        reply(200, {"ok": False, "error": "missing_scope", "needed": f"for_{form['channel']}"})
        if method == "conversations.members" and form["channel"] in channels
        else None
    )
    groups = list(connector.memberships())
    reasons = {one.group: one.reason for one in groups if isinstance(one, UnreadableGroup)}
    assert sorted(reasons) == channels
    asked = [form["channel"] for method, form in private.calls if method == "conversations.members"]
    assert asked == ["C2", "C3", "C4", "G1"]
    assert "for_C4" in reasons["C5"]
    assert Membership("G1", "ada@acme.test") in groups


def test_wrong_credentials_stop_the_reading_of_groups(private: Slack, connector: SlackConnector) -> None:
    refusing(private, "conversations.members", "token_revoked", channel="C2")
    with pytest.raises(AuthenticationFailed):
        told(connector)
