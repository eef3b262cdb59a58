"""What is remembered of a channel, and what differs from it: tables of small channels."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.contract import Cursor
from connectors.slack.client import HistoryPage
from connectors.slack.cursor import (
    REMEMBERED,
    ChannelCursor,
    compare_latest,
    day_fingerprint,
    message_state,
    old_days,
    related_ts,
    was_root,
    whole_day,
)
from connectors.slack.payloads import SlackMessage
from connectors.slack.timestamps import moment
from tests.connectors.slack.conftest import parse_message

START = 1_772_323_200
"""2026-03-01, in Unix seconds."""
DAY = 86_400


def ts(days: float = 0, seconds: int = 0) -> str:
    return f"{START + int(days * DAY) + seconds}.000100"


def said(at: str, text: str = "hello", **fields: Any) -> SlackMessage:
    return parse_message({"ts": at, "text": text} | fields)


def root(at: str, latest: str, replies: int = 1) -> SlackMessage:
    return said(at, reply_count=replies, latest_reply=latest, thread_ts=at)


def page(*messages: SlackMessage, more: bool = False) -> HistoryPage:
    """Of messages from the newest to the oldest."""
    return HistoryPage(list(messages), more)


def cursor_of(*messages: SlackMessage, **places: Any) -> ChannelCursor:
    cursor = ChannelCursor(**places)
    cursor.remember(messages)
    return cursor


def march(day: int) -> date:
    return date(2026, 3, day)


@pytest.mark.parametrize(
    "json",
    [
        {"seen": {}, "days": {}},
        {"seen": {ts(): "abc@"}, "days": {"2026-03-01": "def"}},
        {"seen": {}, "days": {}, "before": ts(), "down_to": ts(-1), "swept": "2026-03-01"},
    ],
)
def test_a_cursor_is_what_it_was_written_as(json: Cursor) -> None:
    assert ChannelCursor.from_json(json).to_json() == json


def test_a_cursor_of_nothing_is_that_of_a_channel_not_read_yet() -> None:
    assert ChannelCursor.from_json({}) == ChannelCursor()
    assert (ChannelCursor().newest, ChannelCursor().oldest_compared) == (None, None)


def test_the_json_of_a_cursor_is_its_own() -> None:
    cursor = cursor_of(said(ts()))
    json = cursor.to_json()
    cursor.forget([ts()])
    cursor.days["2026-03-01"] = "x"
    assert (list(json["seen"]), json["days"]) == ([ts()], {})


def test_states_of_messages_have_the_values_that_stored_cursors_hold() -> None:
    """Other values would have every channel read again."""
    assert message_state(said(ts(), "hello")) == "bb5437ae29e2@"
    assert message_state(root(ts(), ts(1))) == f"t7187a3af6a85@{ts(1)}"
    everything: dict[str, Any] = {
        "files": [{"id": "F1", "mode": "hosted", "title": "t", "size": 3}],
        "blocks": [{"type": "divider"}],
        "edited": {"ts": ts(1)},
        "attachments": [{"text": "x"}],
        "subtype": "file_share",
    }
    assert message_state(said(ts(), **everything)) == "4a4e9cd73e80@"
    assert day_fingerprint([said(ts()), said(ts(0, 5), "bye")]) == "55fdf67ce648"


@pytest.mark.parametrize(
    ("message", "is_root", "related"),
    [
        (said(ts()), False, ""),
        (said(ts(), thread_ts=ts()), False, ""),
        (said(ts(), reply_count=0, latest_reply=ts(1)), False, ""),
        (root(ts(), ts(1)), True, ts(1)),
        (said(ts(1), thread_ts=ts()), False, ts()),
    ],
)
def test_a_state_tells_roots_and_what_else_is_of_the_thread(message: SlackMessage, is_root: bool, related: str) -> None:
    state = message_state(message)
    assert (was_root(state), related_ts(state)) == (is_root, related)


@pytest.mark.parametrize(
    "other",
    [
        said(ts(), "bye"),
        said(ts(), blocks=[{"type": "divider"}]),
        said(ts(), attachments=[{"text": "x"}]),
        said(ts(), edited={"ts": ts(1)}),
        said(ts(), subtype="tombstone"),
        said(ts(), files=[{"id": "F1"}]),
        said(ts(), reply_count=1, latest_reply=ts(1)),
    ],
)
def test_a_state_changes_with_what_is_shown(other: SlackMessage) -> None:
    assert message_state(other) != message_state(said(ts()))


@pytest.mark.parametrize("change", [{"id": "F2"}, {"mode": "tombstone"}, {"title": "new"}])
def test_a_state_changes_with_the_files(change: dict[str, str]) -> None:
    file = {"id": "F1", "mode": "hosted", "title": "old"}
    assert message_state(said(ts(), files=[file | change])) != message_state(said(ts(), files=[file]))
    assert message_state(said(ts(), files=[file | {"size": 3}])) == message_state(said(ts(), files=[file]))


def test_a_state_is_that_of_the_same_message_whatever_is_not_shown() -> None:
    assert message_state(said(ts(), reactions=[{"name": "x"}], user="U7")) == message_state(said(ts()))


def test_only_the_latest_messages_are_remembered_one_by_one() -> None:
    messages = [said(ts(0, number)) for number in range(REMEMBERED + 2)]
    cursor = cursor_of(*messages)
    assert set(cursor.seen) == {message.ts for message in messages[2:]}
    assert (cursor.newest, cursor.oldest_compared) == (messages[-1].ts, messages[2].ts)
    cursor.forget([messages[2].ts, "1.0"])
    assert (len(cursor.seen), cursor.oldest_compared) == (REMEMBERED - 1, None)


def test_times_are_compared_as_numbers() -> None:
    assert cursor_of(said("999.000002"), said("1000.000001")).newest == "1000.000001"
    assert cursor_of(said("1000.10"), said("1000.9")).newest == "1000.9"


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [(None, 4, {1, 2, 3}), (1, 4, {2, 3}), (None, 3, {1, 2}), (2, 3, set()), (1, 9, {2, 3, 4})],
)
def test_days_between(after: int | None, before: int, expected: set[int]) -> None:
    cursor = ChannelCursor(days={str(march(day)): "x" for day in (1, 2, 3, 4)})
    found = cursor.days_between(march(after) if after else None, march(before))
    assert found == {march(day) for day in expected}


@pytest.mark.parametrize(
    ("swept", "start"), [(None, march(6)), (march(3), march(3)), (march(6), march(6)), (march(9), march(6))]
)
def test_old_days_are_compared_from_where_the_last_read_stopped(swept: date | None, start: date) -> None:
    assert ChannelCursor(swept=str(swept) if swept else None).sweep_start(ts(4)) == start


A, B, C = said(ts(0)), said(ts(1)), said(ts(2))
BROADCAST = said(ts(2), thread_ts=ts(0), subtype="thread_broadcast")


@pytest.mark.parametrize(
    ("known", "shown", "gone", "changed", "threads"),
    [
        ([A, B], [B, A], set(), set(), {}),
        ([A], [B, A], set(), {B.ts}, {}),
        ([A, B], [A], {B.ts}, set(), {}),
        ([A, B], [B, said(A.ts, "edited")], set(), {A.ts}, {}),
        ([A], [root(A.ts, ts(3))], set(), {A.ts}, {A.ts: ""}),  # a first reply
        ([root(A.ts, ts(3))], [root(A.ts, ts(4), 2)], set(), {A.ts}, {A.ts: ts(3)}),
        ([root(A.ts, ts(3))], [A], set(), {A.ts}, {A.ts: ts(3)}),  # the last reply is deleted
        ([root(A.ts, ts(3))], [], {A.ts}, set(), {A.ts: ts(3)}),
        ([A], [BROADCAST, A], set(), {BROADCAST.ts}, {A.ts: ""}),
        ([A, BROADCAST], [A], {BROADCAST.ts}, set(), {A.ts: ""}),
        (
            [root(A.ts, ts(3))],
            [BROADCAST, root(A.ts, ts(4), 2)],
            set(),
            {A.ts, BROADCAST.ts},
            {A.ts: ts(3)},
        ),
        ([root(A.ts, ts(3)), BROADCAST], [root(A.ts, ts(4))], {BROADCAST.ts}, {A.ts}, {A.ts: ts(3)}),
    ],
)
def test_what_differs_among_the_latest_messages(
    known: list[SlackMessage],
    shown: list[SlackMessage],
    gone: set[str],
    changed: set[str],
    threads: dict[str, str],
) -> None:
    found = compare_latest(cursor_of(*known), page(*shown))
    assert found.gone == frozenset(gone)
    assert ({message.ts for message in found.changed}, found.threads) == (changed, threads)
    days = {(int(at.partition(".")[0]) - START) // DAY + 1 for at in gone | changed}
    assert found.days == tuple(march(day) for day in sorted(days))


def test_what_a_page_does_not_reach_is_not_gone() -> None:
    cursor = cursor_of(A, B, C)
    assert compare_latest(cursor, page(C, more=True)).gone == set()
    assert compare_latest(cursor, page(said(ts(3)), A, more=True)).gone == {B.ts, C.ts}
    assert compare_latest(cursor, page(more=True)).gone == {A.ts, B.ts, C.ts}
    assert compare_latest(cursor, page(C)).gone == {A.ts, B.ts}


def test_messages_older_than_those_that_are_remembered_are_not_new() -> None:
    """They are compared by day."""
    remembered = [said(ts(1, number)) for number in range(REMEMBERED)]
    older = said(ts(0))
    found = compare_latest(cursor_of(*remembered), page(*reversed(remembered), older))
    assert (found.changed, found.days) == ((), ())
    edited = said(remembered[0].ts, "edited")
    assert compare_latest(cursor_of(*remembered), page(*reversed(remembered[1:]), edited)).changed == (edited,)
    assert compare_latest(cursor_of(*remembered[1:]), page(*reversed(remembered), older)).changed == (
        remembered[0],
        older,
    )


def test_a_day_that_may_go_on_on_the_next_page_is_not_whole() -> None:
    second = said(ts(1, 5))
    assert whole_day(page(C, second, B, more=True), march(2)) is None
    assert whole_day(page(C, second, B, more=True), march(1)) is None
    assert whole_day(page(C, second, B, more=True), march(3)) == [C]
    assert whole_day(page(C, second, B), march(2)) == [second, B]
    assert whole_day(page(C, second, B), march(1)) == []


@pytest.mark.parametrize(
    ("shown", "more", "days", "cut", "next_start"),
    [
        ([C, B, A], False, {3, 2, 1}, None, None),
        ([C, B, A], True, {3, 2}, 1, "2026-03-02"),
        ([C], True, set(), 3, "2026-03-03"),  # one day fills the page: it is passed over
        ([], True, set(), None, None),
        ([], False, set(), None, None),
    ],
)
def test_old_days_are_compared_whole(
    shown: list[SlackMessage], more: bool, days: set[int], cut: int | None, next_start: str | None
) -> None:
    found = old_days(page(*shown, more=more))
    assert found.days.keys() == {march(day) for day in days}
    assert (found.cut, found.next_start) == (march(cut) if cut else None, next_start)
    assert [message for messages in found.days.values() for message in messages] == shown[: len(days)]


@pytest.mark.parametrize(
    ("messages", "last"),
    [
        ([said(ts(1)), said(ts(2))], ts(2)),
        ([root(ts(1), latest=ts(5)), said(ts(2))], ts(5)),
        ([said(ts(3), thread_ts=ts(1)), said(ts(2))], ts(3)),
        ([], "0.0"),
    ],
    ids=["beside threads", "in a thread", "to the channel from a thread", "never"],
)
def test_the_last_word_is_known_from_the_cursor(messages: list[SlackMessage], last: str) -> None:
    assert cursor_of(*messages).last_word == moment(last)
