"""Slack from its API over HTTP to the embedded index: what changes there changes here, and costs no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.registry import receive
from connectors.slack.settings import SlackConnection
from connectors.slack.source import SlackConnector
from pipelines.events.processor import EventProcessor
from pipelines.ingestion.observer import SILENT
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.slack import (
    DAY,
    SIGNING_SECRET,
    START,
    TOKEN,
    Fault,
    Slack,
    broken_gateway,
    cut_short,
    rate_limited,
    refusal,
    serving,
)

RECONCILE = SyncOptions(mode="reconcile")
FULL = SyncOptions(mode="full")
NO_CHANGE = 3 + 1 + 1 + 1 + 1 + 2
"""Requests: three types of channels, people, user groups, whose the token is, the members of the private channel; and
of each channel its latest messages."""
ROUND = 1
"""Of a channel with more messages than an answer shows: a page of older days."""


@dataclass
class World:
    slack: Slack
    services: Services
    connection: SlackConnection
    embedder: FakeEmbedder
    root: str = ""

    def sync(self, options: SyncOptions = SyncOptions(), *units: str) -> SyncReport:  # noqa: B008
        self.slack.calls.clear()
        return sync_connection(self.services, self.connection, units, options)

    def event(self, **event: Any) -> dict[Any, str]:
        """What the worker does with an event; returns the errors."""
        headers, body = self.slack.delivery(event)
        received = receive(self.connection, headers, body, self.slack.clock)
        from connectors.registry import connect

        connector = connect(self.connection)
        try:
            processor = EventProcessor(self.services, self.connection, connector, SILENT)
            return processor.process(received.invalidations).errors
        finally:
            connector.close()

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        with self.services.store() as store:
            return dict(store.scan())

    @property
    def indexed(self) -> set[str]:
        return {payload["document_id"].removeprefix("slack:acme/") for payload in self.points.values()}

    @property
    def text(self) -> str:
        return "\n".join(payload["text"] for payload in self.points.values())


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    slack = Slack()
    slack.channel("C1", "general")
    slack.channel("C2", "board", private=True)
    slack.person("U1", "ada")
    slack.person("U2", "bob")
    slack.members["C2"] = ["U1"]
    for day in range(12):
        slack.say("C1", f"The pump of mill {day} is stuck.", at=START + day * DAY)
    root = slack.say("C1", "Who greases the wheel?", at=START + 2 * DAY + 600)
    for number in range(3):
        slack.say("C1", f"Tallow helps, says miller {number}.", at=START + 3 * DAY + 60 * number, thread=root)
    slack.say("C2", "We buy another mill.", at=START)
    slack.share("C1", "F1", b"The wheel has twelve spokes.")
    slack.share("C1", "F2", b"\x89PNG", mimetype="image/png", name="wheel.png")
    with serving(slack) as url:
        connection = SlackConnection.model_validate(
            {"id": "acme", "source": "slack", "token": TOKEN, "base_url": url, "webhook_secret": SIGNING_SECRET}
        )
        embedder = FakeEmbedder()
        with Services(settings.model_copy(update={"connections": (connection,)}), embedder) as services:
            yield World(slack, services, connection, embedder, root)
    assert slack.strayed == []


def test_first_sync_and_no_change(world: World) -> None:
    first = world.sync()
    assert (first.errors, first.documents.new, first.documents.skipped) == ({}, 12 + 1 + 1 + 1, 1)
    assert world.indexed >= {"C1/days/2026-03-01", f"C1/threads/{world.root}", "C1/files/F1", "C2/days/2026-03-01"}
    assert world.text.count("twelve spokes") == 1
    readers = {payload["document_id"].split("/")[1]: payload["readers"] for payload in world.points.values()}
    assert readers == {"C1": ["group:acme:workspace"], "C2": ["group:acme:C2"]}
    sent, points = world.embedder.requests, world.points
    for options in (SyncOptions(), RECONCILE, FULL):
        report = world.sync(options)
        counts = report.documents
        assert (report.errors, counts.new, counts.changed, counts.deleted) == ({}, 0, 0, 0)
    assert (world.embedder.requests, world.points) == (sent, points)


def test_nothing_new_costs_the_same_however_much_there_is(world: World) -> None:
    world.sync()
    assert sum(world.sync().requests.values()) == NO_CHANGE
    for number in range(500):
        world.slack.say("C1", f"Mill {number} turns.", at=START + 20 * DAY + number * 1_800)
    world.sync()
    report = world.sync()
    assert (report.documents.read, sum(report.requests.values())) == (0, NO_CHANGE + ROUND)


Change = Callable[[World], object]


EDITS: list[tuple[Change, str]] = [
    (lambda w: w.slack.say("C1", "Frost is coming."), "Frost is coming."),
    (lambda w: w.slack.edit("C1", next(iter(w.slack.messages["C1"])), "The pump is mended."), "The pump is mended."),
    (lambda w: w.slack.say("C1", "Tar is better.", thread=w.root), "Tar is better."),
    (lambda w: w.slack.say("C1", "All good.", thread=w.root, subtype="thread_broadcast"), "All good."),
    (lambda w: w.slack.share("C1", "F3", b"A list of millers."), "A list of millers."),
    (lambda w: w.slack.share("C1", "F4", b"In a thread.", thread=w.root), "In a thread."),
    (
        lambda w: w.slack.say("C1", "", subtype="bot_message", username="deploy", blocks=[_section("Deployed 7.4")]),
        "Deployed 7.4",
    ),
    (lambda w: w.slack.say("C1", "", blocks=[{"type": "from_the_future", "text": "Unknown blocks."}]), "Unknown bl"),
]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_what_is_edited_or_new_is_found_by_the_next_sync(world: World) -> None:
    world.sync()
    for change, expected in EDITS:
        change(world)
        report = world.sync()
        assert (expected, report.errors, expected in world.text) == (expected, {}, True)
        assert report.embedding.inputs <= 3


def test_files_are_what_they_hold(world: World) -> None:
    """A canvas, a file in a thread, one too large, one kept elsewhere, one deleted, one behind a sign-in page."""
    slack = world.slack
    slack.share("C1", "F3", b"<h1>Plan</h1><p>Build a dam.</p>", mode="quip", filetype="quip", mimetype="text/html")
    slack.share("C1", "F4", b"depth,width\n3,4\n", thread=world.root, mimetype="text/csv", name="dam.csv")
    slack.share("C1", "F5", b"x", size=30_000_000)
    slack.share("C1", "F6", b"", mode="external", is_external=True)
    slack.share("C1", "F7", b"gone soon")
    slack.delete_file("F7")
    slack.share("C1", "F8", b"<html><title>Sign in | Acme</title></html>", mimetype="text/html", filetype="html")
    report = world.sync()
    assert (report.errors, report.documents.failed) == ({}, 1)
    parents = {one["document_id"].rpartition("/")[2]: one["parents"] for one in world.points.values()}
    assert parents["F4"] == ["slack:acme/C1", f"slack:acme/C1/threads/{world.root}"]
    assert parents["F3"][1].startswith("slack:acme/C1/days/2026-03-")
    assert ("Build a dam." in world.text, "depth" in world.text) == (True, True)
    reasons = {one["id"].rpartition("/")[2]: one["reason"] for one in world.services.catalog.documents.troubled()}
    assert "files:read" in reasons["F8"]
    again = world.sync(
        SyncOptions(mode="documents", documents=tuple(f"slack:acme/C1/files/F{n}" for n in (3, 4))), "C1"
    )
    assert (again.documents.read, again.documents.unchanged) == (2, 2)
    assert world.sync(RECONCILE).documents.changed == 0


@pytest.mark.one_case
@pytest.mark.parametrize("by_event", [False, True])
def test_a_canvas_that_is_edited_is_read_again(world: World, by_event: bool) -> None:
    world.slack.share("C1", "F3", b"<p>Build a dam.</p>", mode="canvas", mimetype="text/html")
    world.sync()
    world.slack.rewrite("F3", b"<p>Build a weir.</p>")
    if by_event:
        assert world.event(type="file_change", file_id="F3", file={"id": "F3"}) == {}
    else:
        world.sync(RECONCILE)
    assert ("Build a weir." in world.text, "Build a dam." in world.text) == (True, False)


def test_a_file_that_is_deleted_goes_with_the_event_on_its_message(world: World) -> None:
    world.sync()
    ts, before = next((ts, dict(one)) for ts, one in world.slack.messages["C1"].items() if one.get("files"))
    world.slack.delete_file("F1")
    after = world.slack.messages["C1"][ts]
    world.event(type="message", subtype="message_changed", channel="C1", message=after, previous_message=before)
    assert "twelve spokes" not in world.text


@pytest.mark.slow
def test_reading_a_thread_again_does_not_load_its_files_again(world: World) -> None:
    world.slack.share("C1", "F3", b"In the thread.", thread=world.root)
    world.sync()
    world.slack.say("C1", "One reply more.", thread=world.root)
    world.sync()
    assert (world.slack.asked()["file"], "One reply more." in world.text) == (0, True)


def test_what_is_deleted_leaves_the_index(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    first = next(iter(world.slack.messages["C1"]))
    world.slack.delete("C1", first)
    assert world.sync().documents.deleted == 1
    del world.slack.files["F1"]
    assert world.sync(RECONCILE).documents.deleted == 1
    assert not {"C1/days/2026-03-01", "C1/files/F1"} & world.indexed
    assert world.embedder.requests == sent


def _old_changes(world: World) -> None:
    """Far behind the latest messages: an edit, a deletion inside a day, a late reply, a deleted reply."""
    twice = world.slack.say("C1", "A second message.", at=START + 60)
    for number in range(300):
        world.slack.say("C1", f"Mill {number} turns.", at=START + 100 * DAY + number * 3_600)
    world.sync()
    world.slack.edit("C1", next(iter(world.slack.messages["C1"])), "The pump is mended.")
    world.slack.delete("C1", twice)
    world.slack.say("C1", "Ninety days later.", at=START + 99 * DAY, thread=world.root)
    world.slack.delete("C1", next(one["ts"] for one in world.slack._replies("C1", world.root)))


def _has_old_changes(world: World) -> bool:
    gone, come = ("A second message.", "miller 0"), ("The pump is mended.", "Ninety days later.")
    text = world.text
    return all(one in text for one in come) and not any(one in text for one in gone)


def test_old_changes_are_found_by_a_reconcile(world: World) -> None:
    _old_changes(world)
    report = world.sync(RECONCILE)
    assert (report.errors, report.documents.changed, _has_old_changes(world)) == ({}, 2, True)


@pytest.mark.slow
def test_old_changes_are_found_by_going_round_the_channel(world: World) -> None:
    _old_changes(world)
    for _ in range(2):
        report = world.sync()
    assert (report.errors, _has_old_changes(world)) == ({}, True)
    for _ in range(3):
        report = world.sync()
        assert (report.documents.read, sum(report.requests.values())) == (0, NO_CHANGE + ROUND)


def test_a_renamed_channel_shows_its_name_without_embedding(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    world.slack.channels["C1"]["name"] = "mills"
    world.sync()
    titles = {payload["title"].partition(",")[0] for payload in world.points.values() if payload["kind"] == "messages"}
    assert titles == {"#mills", "#board"}
    assert world.embedder.requests == sent


def test_a_channel_that_becomes_private_is_only_for_its_members(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    groups_of = world.services.catalog.memberships.groups_of
    assert groups_of("bob@acme.test") == {"group:acme:workspace"}
    world.slack.channels["C1"]["is_private"] = True
    world.slack.members["C1"] = ["U2"]
    world.sync()
    assert {tuple(one["readers"]) for one in world.points.values()} == {("group:acme:C1",), ("group:acme:C2",)}
    assert groups_of("ada@acme.test") == {"group:acme:workspace", "group:acme:C2"}
    assert world.embedder.requests == sent


def test_a_channel_that_is_gone_leaves_the_index_on_somebodys_word(world: World) -> None:
    world.slack.say("C2", "And a third one.", at=START + DAY)
    world.sync()
    del world.slack.channels["C2"]
    assert "acme/C2" in world.sync(RECONCILE).errors
    world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert "We buy another mill." not in world.text


def test_bots_can_be_left_out(world: World) -> None:
    world.slack.person("U7", "robot", is_bot=True)
    world.slack.say("C1", "beep", bot_id="B1", user="U7")
    world.slack.say("C1", "beep", bot_id="B1", subtype="bot_message", user=None)
    world.slack.say("C1", "By a person, through an app.", bot_id="B1")
    world.connection = world.connection.model_copy(update={"bots": False})
    world.sync()
    assert "beep" not in world.text
    assert "By a person, through an app." in world.text


def test_without_a_scope_the_rest_is_read(world: World) -> None:
    world.slack.scopes = {"channels:read"}
    report = world.sync()
    assert (report.errors, report.documents.new, report.documents.failed) == ({}, 13, 0)
    told = {name: set(parts) for name, parts in report.refused.items()}
    assert told == {"acme": {"units"}, "acme/C1": {"files"}}
    assert "groups:read" in report.refused["acme"]["units"]
    assert "files:read" in report.refused["acme/C1"]["files"]
    assert world.sync(RECONCILE).documents.deleted == 0


def test_what_a_scope_that_is_taken_away_gave_is_kept_and_the_rest_goes_on(world: World) -> None:
    """No document of a part that is refused goes, no unit of a type that is not listed, and what is deleted does."""
    world.sync()
    before = world.indexed
    world.slack.refuse("private channels", "forbidden")
    world.slack.refuse("files", "forbidden")
    world.slack.messages["C1"].pop(next(iter(world.slack.messages["C1"])))
    report = world.sync(RECONCILE)
    assert (report.errors, report.out_of_reach) == ({}, {})
    assert report.refused.keys() == {"acme", "acme/C1", "acme/C2"}
    assert before - world.indexed == {"C1/days/2026-03-01"}
    world.slack.allow("private channels")
    world.slack.allow("files")
    assert world.sync(RECONCILE).refused == {}
    assert {one.status for one in world.services.catalog.parts.of("acme")} == {"complete"}


def test_what_could_not_be_read_is_read_once_it_is_allowed(world: World) -> None:
    for part in ("replies", "files", "people"):
        world.slack.refuse(part, "forbidden")
    report = world.sync()
    assert (report.errors, report.documents.failed) == ({}, 0)
    assert report.refused["acme/C1"].keys() == {"replies", "files", "people"}
    assert sum(world.sync().requests.values()) <= NO_CHANGE + 3
    for part in ("replies", "files", "people"):
        world.slack.allow(part)
    assert world.sync().refused == {}
    assert {one.status for one in world.services.catalog.parts.of("acme")} == {"complete"}
    assert world.indexed >= {f"C1/threads/{world.root}", "C1/files/F1"}
    assert "**ada**" in world.text


@pytest.mark.slow
def test_a_sign_in_page_is_not_a_file(world: World) -> None:
    world.slack.contents["F1"] = b"<html>Sign in</html>"
    world.slack.files["F1"] |= {"mimetype": "text/plain", "size": len(world.slack.contents["F1"])}
    report = world.sync()
    assert report.documents.failed == 0  # what the file itself holds is the author's business
    world.slack.scopes.discard("files:read")
    report = world.sync(SyncOptions(mode="documents", documents=("slack:acme/C1/files/F1",)), "C1")
    assert report.documents.failed == 1
    reasons = {trouble["id"]: trouble["reason"] for trouble in world.services.catalog.documents.troubled()}
    assert "files:read" in reasons["slack:acme/C1/files/F1"]


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("only", "fault"),
    [
        ("conversations.history", rate_limited(30)),
        pytest.param("conversations.replies", rate_limited(), marks=pytest.mark.slow),
        pytest.param("conversations.list", lambda: refusal("ratelimited"), marks=pytest.mark.slow),
        ("users.list", broken_gateway),
        pytest.param("conversations.info", cut_short, marks=pytest.mark.slow),
        ("files.list", lambda: refusal("internal_error")),
    ],
)
def test_trouble_that_passes_costs_nothing_but_time(world: World, only: str, fault: Fault) -> None:
    world.slack.fail(2, fault, only=only)
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 0, 15)


def test_trouble_that_stays_fails_one_object_and_is_made_up_for(world: World) -> None:
    world.slack.fail(3, broken_gateway, only="conversations.replies")
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 1, 14)
    assert world.event(type="message", channel="C1", ts=world.root, thread_ts=world.root) == {}
    assert f"C1/threads/{world.root}" in world.indexed


def test_a_killed_sync_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = SlackConnector.read

    def read_until_killed(self: SlackConnector, *arguments: Any) -> Iterator[Any]:
        for count, item in enumerate(read(self, *arguments)):
            if count == 19:
                raise KeyboardInterrupt
            yield item

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 1)
        patched.setattr(SlackConnector, "read", read_until_killed)
        with pytest.raises(KeyboardInterrupt):
            world.sync(SyncOptions(), "C1")
    report = world.sync(SyncOptions(), "C1")
    assert (report.errors, report.documents.new <= 5) == ({}, True)
    assert len({name for name in world.indexed if name.startswith("C1")}) == 14


def test_events_bring_their_changes(world: World) -> None:
    """A late reply to a thread 90 days old, a deleted reply, an edit of an old message, a file, a channel, a leave."""
    for number in range(300):
        world.slack.say("C1", f"Mill {number} turns.", at=START + 90 * DAY + number)
    world.sync()
    late = world.slack.say("C1", "Ninety days later.", thread=world.root)
    assert world.event(type="message", channel="C1", ts=late, thread_ts=world.root) == {}
    assert "Ninety days later." in world.text

    world.slack.delete("C1", late)
    gone = {"ts": late, "thread_ts": world.root}
    world.event(type="message", subtype="message_deleted", channel="C1", deleted_ts=late, previous_message=gone)
    assert "Ninety days later." not in world.text

    old = next(iter(world.slack.messages["C1"]))
    world.slack.edit("C1", old, "The pump is mended.")
    edited = world.slack.messages["C1"][old]
    world.event(type="message", subtype="message_changed", channel="C1", message=edited)
    assert "The pump is mended." in world.text

    world.slack.share("C1", "F9", b"Nine lives.")
    world.event(type="file_shared", file_id="F9", channel_id="C1")
    assert "Nine lives." in world.text

    world.slack.channel("C9", "new")
    world.slack.say("C9", "Hello, new channel.")
    world.event(type="channel_created", channel={"id": "C9", "name": "new"})
    assert "Hello, new channel." in world.text

    del world.slack.channels["C9"]
    world.event(type="channel_deleted", channel="C9")
    assert "Hello, new channel." not in world.text

    world.slack.members["C2"] = ["U2"]
    world.event(type="member_left_channel", channel="C2", user="U1")
    groups_of = world.services.catalog.memberships.groups_of
    assert ("group:acme:C2" in groups_of("ada@acme.test"), "group:acme:C2" in groups_of("bob@acme.test")) == (
        False,
        True,
    )
