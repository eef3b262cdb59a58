"""What is refused or fails stops nothing else, is no evidence of absence, and is read once it is there again."""

from __future__ import annotations

from contextlib import closing
from typing import Literal

import pytest

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, ListingEntry, PartState
from connectors.errors import AccessDenied, UnreadableUnits
from connectors.model import Document, Unit
from connectors.slack import SOURCE
from connectors.slack.source import SlackConnector
from connectors.units import list_units
from tests.connectors.slack.conftest import open_connector, reply
from tests.emulators.slack import DAY, START, Slack
from tests.paths import ROOT

HOW: tuple[Literal["forbidden", "missing", "down"], ...] = ("forbidden", "missing", "down")
UNIT = Unit("C1", "general", readers=("group:acme:workspace",))
PREFIX = "slack:acme/C1/"
OF_A_CHANNEL = ("history", "replies", "files", "people", "user groups", "bots")


@pytest.fixture
def slack(slack: Slack) -> Slack:
    """A channel with all that a read asks for, a private one, and a group direct message."""
    slack.bot_id = "B1"
    slack.bots["B1"] = {"id": "B1", "name": "deployer"}
    slack.groups["S1"] = {"id": "S1", "handle": "ops", "users": ["U1"]}
    slack.channel("C2", "board", private=True)
    slack.channel("G1", "mpdm-ada--bo-1", private=True, is_mpim=True)
    slack.members = {"C2": ["U1"], "G1": ["U1", "U2"]}
    slack.say("C1", "ask <!subteam^S1>", at=START)
    root = slack.say("C1", "who broke it?", at=START + DAY)
    slack.say("C1", "me", thread=root, user="U2")
    slack.share("C1", "F1", b"twelve spokes")
    slack.say("C1", "deployed", at=START + 2 * DAY, subtype="bot_message", user="", bot_id="B1")
    slack.say("C2", "we buy a mill", at=START)
    return slack


def states(items: list[Item] | list[ListingEntry | PartState]) -> dict[str, PartState]:
    return {item.part: item for item in items if isinstance(item, PartState)}


def documents(items: list[Item]) -> dict[str, Document]:
    return {item.id.removeprefix(PREFIX): item for item in items if isinstance(item, Document)}


def cursor_of(items: list[Item]) -> Cursor:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


LOST = {
    "history": ("days/", "threads/", "files/"),
    "replies": ("threads/", "files/"),
    "files": ("files/",),
}
"""Whose documents a whole read does not tell of without a part."""


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", OF_A_CHANNEL)
def test_a_part_of_a_channel_stops_no_other_and_is_read_once_it_is_allowed(
    slack: Slack, connector: SlackConnector, part: str, how: Literal["forbidden", "missing", "down"]
) -> None:
    with closing(open_connector(slack)) as other:
        whole = documents(list(other.read(UNIT)))
    slack.refuse(part, how)
    items = list(connector.read(UNIT))
    told = states(items)
    lost = LOST.get(part, ())
    status = "failing" if how == "down" else "refused"
    assert told[part].status == status
    assert told[part].id_prefixes == tuple(f"{PREFIX}{prefix}" for prefix in lost)
    assert all(state.status == "complete" for name, state in told.items() if name != part)
    assert {name for name in whole if not name.startswith(lost or ("-",))} <= set(documents(items))
    assert not [item for item in items if isinstance(item, Deleted)]
    assert isinstance(items[-1], Checkpoint)
    assert items[-1].complete
    if how == "forbidden":
        assert not [item for item in items if isinstance(item, Failed)]
        assert f"grant {slack_scope(part)}" in told[part].reason
        slack.calls.clear()
        again = list(connector.read(UNIT, cursor_of(items)))
        assert states(again)[part].status == status
        assert sum(slack._asks_for(part, method, form) for method, form in slack.calls) <= 1
    slack.allow(part)
    with closing(open_connector(slack)) as other:
        later = list(other.read(UNIT, cursor_of(items)))
        later += other.fetch(UNIT, [item.document_id for item in items if isinstance(item, Failed)])
    assert {one: item.content for one, item in {**documents(items), **documents(later)}.items()} == {
        one: item.content for one, item in whole.items()
    }
    assert states(later)[part].status == "complete"


def slack_scope(part: str) -> str:
    return {"files": "files:read", "user groups": "usergroups:read"}.get(
        part, "channels:history" if part in ("history", "replies") else "users:read"
    )


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", ["history", "replies", "files"])
def test_a_listing_without_a_part_names_the_others(
    slack: Slack, connector: SlackConnector, part: str, how: Literal["forbidden", "missing", "down"]
) -> None:
    whole = {one.document_id for one in connector.listing(UNIT) if isinstance(one, ListingEntry)}
    slack.refuse(part, how)
    found = list(connector.listing(UNIT))
    state = states(found)[part]
    assert state.status == ("failing" if how == "down" else "refused")
    named = {one.document_id for one in found if isinstance(one, ListingEntry)}
    assert named == {one for one in whole if not one.startswith(state.id_prefixes)}


@pytest.mark.parametrize("how", ["forbidden", "missing"])
def test_what_is_no_answer_of_a_part_takes_nothing_away(
    slack: Slack, connector: SlackConnector, how: Literal["forbidden", "missing"]
) -> None:
    """Only Slack's own word that an object is gone is one; a method that is not there says nothing of them."""
    wanted = [item.id for item in connector.read(UNIT) if isinstance(item, Document)]
    for part in ("history", "replies", "files"):
        slack.refuse(part, how)
    *found, history, replies, files = connector.fetch(UNIT, wanted)
    assert [type(item) for item in found] == [Failed] * len(wanted)
    assert set(states([history, replies, files])) == {"history", "replies", "files"}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("part", "channel"), [("public channels", "C1"), ("private channels", "C2"), ("group messages", "G1")]
)
def test_channels_of_a_type_that_are_not_listed_are_a_gap_of_that_type_alone(
    slack: Slack, connector: SlackConnector, part: str, channel: str, how: Literal["forbidden", "missing", "down"]
) -> None:
    before = {unit.id: unit for unit in connector.units()}
    slack.refuse(part, how)
    found, _, (gap,) = list_units(connector)
    assert {unit.id for unit in found} == before.keys() - {channel}
    assert {unit.id for unit in before.values() if gap.covers(unit)} == {channel}
    assert gap.is_refused == (how != "down")
    with closing(open_connector(slack)) as other:
        items = list(other.read(before[channel], {"seen": {}}))
        listed = list(other.listing(before[channel]))
    assert isinstance(items[0], PartState)
    assert (items[0].part, items[0].id_prefixes) == (part, (f"slack:acme/{channel}/",))
    assert (items[1:], listed) == ([Checkpoint({"seen": {}})], [items[0]])
    slack.allow(part)
    with closing(open_connector(slack)) as other:
        assert states(list(other.read(before[channel], {"seen": {}})))[part].status == "complete"
    if channel != "C1":
        with pytest.raises(UnreadableUnits):  # so that nobody is taken out of a channel that is not listed
            list(connector.memberships())


def test_a_token_that_may_list_no_channels_is_an_error(slack: Slack, connector: SlackConnector) -> None:
    for part in ("public channels", "private channels", "group messages"):
        slack.refuse(part, "forbidden")
    with pytest.raises(AccessDenied, match="channels:read"):
        list(connector.units())


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", SOURCE.parts, ids=lambda part: part.name)
def test_check_says_which_part_is_missing(
    slack: Slack, connector: SlackConnector, part: object, how: Literal["forbidden", "missing", "down"]
) -> None:
    name = getattr(part, "name", "")
    assert all(finding.ok for finding in connector.check())
    slack.refuse(name, how)
    with closing(open_connector(slack)) as other:
        wrong = [finding for finding in other.check() if not finding.ok]
    assert [finding.subject for finding in wrong] == [name]
    assert wrong[0].lost == getattr(part, "lost", "")
    if how == "forbidden":
        assert wrong[0].permission.split(":")[1] in ("read", "history")


def test_check_asks_for_the_history_of_each_type_of_channel(slack: Slack, connector: SlackConnector) -> None:
    refused = reply(200, {"ok": False, "error": "missing_scope", "needed": "groups:history"})
    slack.interrupt = lambda method, form: (
        refused if method == "conversations.history" and form["channel"] == "C2" else None
    )
    (history, *_) = [finding for finding in connector.check() if not finding.ok]
    assert (history.subject, history.permission) == ("history", "groups:history")


def test_check_says_that_nobody_can_be_recognised(slack: Slack, connector: SlackConnector) -> None:
    for user in slack.users.values():
        del user["profile"]["email"]
    (people,) = [finding for finding in connector.check() if not finding.ok]
    assert (people.subject, people.permission) == ("people", "users:read.email")


def test_one_file_that_is_refused_leaves_the_others(slack: Slack, connector: SlackConnector) -> None:
    slack.share("C1", "F2", b"a second one", mimetype="text/plain")
    refusals = iter([reply(403, b"")])
    slack.interrupt = lambda method, form: next(refusals, None) if method == "file" else None
    items = list(connector.read(UNIT))
    assert states(items)["files"].status == "complete"
    assert [type(item) for item in items].count(Failed) == 1
    assert [item.kind for item in documents(items).values()].count("file") == 1


@pytest.mark.parametrize("how", ["forbidden", "down"])
def test_members_that_are_refused_are_asked_for_a_few_times(
    slack: Slack, connector: SlackConnector, how: Literal["forbidden", "down"]
) -> None:
    for number in range(20):
        slack.channel(f"C1{number}", f"secret-{number}", private=True)
    slack.refuse("members", how)
    list(connector.memberships())
    asked = sum(method == "conversations.members" for method, _ in slack.calls)
    assert asked <= 2 * (3 if how == "forbidden" else 5)
    (unasked,) = [unit for unit in connector.units() if unit.id == "C119"]
    told = states(list(connector.read(unasked)))["members"]
    assert told.status == ("refused" if how == "forbidden" else "failing")


@pytest.mark.parametrize("how", HOW)
def test_members_are_told_with_the_next_read_of_their_channel(
    slack: Slack, connector: SlackConnector, how: Literal["forbidden", "missing", "down"]
) -> None:
    units = {unit.id: unit for unit in connector.units()}
    slack.refuse("members", how)
    list(connector.memberships())
    for items in (list(connector.read(units["C2"])), list(connector.listing(units["C2"]))):
        told = states(items)["members"]
        assert (told.status, told.id_prefixes) == ("failing" if how == "down" else "refused", ())
        assert ("grant groups:read" in told.reason) == (how != "down")
    assert "members" not in states(list(connector.read(units["C1"])))
    slack.allow("members")
    list(connector.memberships())
    assert states(list(connector.read(units["C2"])))["members"].status == "complete"


def test_the_guide_has_the_table_of_parts() -> None:
    rows = (ROOT / "connectors" / "README.md").read_text().splitlines()
    for part in SOURCE.parts:
        assert any(
            row.startswith(f"| {part.name} | {part.permission} | {part.lost} | {part.probe} | `") for row in rows
        )


def test_where_no_thread_is_found_replies_are_refused_and_one_alone_is_in_trouble_of_its_own(
    slack: Slack, connector: SlackConnector
) -> None:
    whole = list(connector.read(UNIT))
    (first,) = [name for name in documents(whole) if name.startswith("threads/")]
    other = slack.say("C1", "who mends it?", at=START + 3 * DAY)
    slack.say("C1", "me again", thread=other)
    lost = {first.removeprefix("threads/"), other}
    slack.interrupt = lambda method, form: (
        {"ok": False, "error": "thread_not_found"} if method == "conversations.replies" and form["ts"] in lost else None
    )
    with closing(open_connector(slack)) as later:
        items = list(later.read(UNIT))
    told = states(items)["replies"]
    assert (told.status, told.id_prefixes) == ("refused", ())
    assert "grant channels:history" in told.reason
    failed = {item.document_id.removeprefix(PREFIX) for item in items if isinstance(item, Failed)}
    assert failed == {f"threads/{ts}" for ts in lost}
    assert {f"{PREFIX}{name}" for name in failed} <= {
        one.document_id for one in connector.listing(UNIT) if isinstance(one, ListingEntry)
    }
    (wrong,) = [finding for finding in connector.check() if not finding.ok]
    assert wrong.subject == "replies"
    *_, fetched = connector.fetch(UNIT, [f"{PREFIX}{name}" for name in failed])
    assert fetched == told
    lost.remove(other)
    with closing(open_connector(slack)) as later:
        assert states(list(later.read(UNIT)))["replies"].status == "complete"
        assert all(finding.ok for finding in later.check())
