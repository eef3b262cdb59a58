from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import Response

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, Membership, Window
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    RateLimited,
    SourceError,
    TransientError,
)
from connectors.model import Document, Unit
from connectors.slack.cursor import REMEMBERED
from connectors.slack.part_table import PARTS
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import id_of, open_connector, read_items, reply, text_of
from tests.emulators.slack import TOKEN, Slack

UNIT = Unit("C1", "general")
ROOT = "slack:acme/C1"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def ts(days: float = 0, minutes: float = 0) -> str:
    return f"{int((START + timedelta(days=days, minutes=minutes)).timestamp())}.000100"


def fill(slack: Slack) -> None:
    """Three days: messages, a thread with two replies of which one is broadcast, noise, a bot."""
    slack.post("C1", ts(0), "good morning")
    slack.post("C1", ts(0, 1), "", subtype="channel_join")
    slack.post("C1", ts(1), "who broke the build?")
    slack.post("C1", ts(1, 1), "me, sorry", thread_ts=ts(1), user="U2")
    slack.post("C1", ts(2, 5), "fixed now", thread_ts=ts(1), user="U2", subtype="thread_broadcast")
    slack.post("C1", ts(2), "deployed 7.4", bot_id="B1", username="deploy-bot", subtype="bot_message")


def documents(items: Iterable[Item]) -> dict[str, Document]:
    return {item.id.removeprefix(f"{ROOT}/"): item for item in items if isinstance(item, Document)}


def cursor_of(items: Sequence[Item]) -> Cursor:
    return next(item.cursor for item in reversed(items) if isinstance(item, Checkpoint))


def read(connector: SlackConnector, cursor: Cursor | None = None, window: Window | None = None) -> list[Item]:
    return read_items(connector, UNIT, copy.deepcopy(cursor), window)


def test_channels_and_people_are_as_slack_tells_them_at_each_call(slack: Slack, connector: SlackConnector) -> None:
    """A worker's connector stays open for minutes, and what it lists counts as of the moment when it is asked."""
    slack.channel("C2", "board")
    readers = [{unit.id: unit.readers for unit in connector.units()}]
    before = set(connector.memberships())
    del slack.channels["C1"]
    slack.channels["C2"]["is_private"] = True
    slack.users["U1"]["deleted"] = True
    readers.append({unit.id: unit.readers for unit in connector.units()})
    assert readers[0].keys() == {"C1", "C2"}
    assert readers[1] == {"C2": ("group:acme:C2",)}
    assert Membership("workspace", "ada@acme.test") in before.difference(connector.memberships())


def test_every_message_stands_in_exactly_one_document(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    items = read(connector)
    found = documents(items)
    assert set(found) == {"days/2026-03-01", "days/2026-03-03", f"threads/{ts(1)}"}
    for text in ("good morning", "who broke the build?", "me, sorry", "fixed now", "deployed 7.4"):
        assert sum(text_of(item).count(text) for item in found.values()) == 1
    assert isinstance(items[-1], Checkpoint)
    assert items[-1].complete


def test_a_thread_tells_who_when_and_where(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    thread = documents(read(connector))[f"threads/{ts(1)}"]
    assert text_of(thread).startswith("**ada** (2026-03-02 09:00): who broke the build?")
    assert (thread.title, thread.author, thread.kind) == ("#general: who broke the build?", "ada", "thread")
    assert thread.url == f"https://acme.slack.test/archives/C1/p{ts(1).replace('.', '')}"
    assert thread.created_at == START.replace(microsecond=100) + timedelta(days=1)
    assert thread.updated_at == START.replace(microsecond=100) + timedelta(days=2, minutes=5)
    assert [parent.title for parent in thread.parents] == ["#general"]
    assert thread.readers == ("group:acme:workspace",)


def test_nothing_new_costs_two_requests_and_yields_nothing(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    cursor = cursor_of(read(connector))
    slack.calls.clear()
    (last,) = read(connector, cursor)
    assert (last, len(slack.calls)) == (Checkpoint(cursor), 2)


@pytest.mark.parametrize("page_size", [1, 2, 3, 200])
@pytest.mark.parametrize("ignores_bounds", [False, True])
def test_pages_of_any_size_give_the_same(
    slack: Slack, connector: SlackConnector, page_size: int, ignores_bounds: bool
) -> None:
    fill(slack)
    expected = documents(read(connector))
    slack.page_size, slack.ignores_bounds = page_size, ignores_bounds
    if ignores_bounds and page_size < 200:
        with pytest.raises(InvalidResponse, match="gives the same again"):
            read(connector)
    else:
        assert documents(read(connector)) == expected


def test_a_killed_read_continues_from_any_checkpoint(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    slack.page_size = 1
    items = read(connector)
    expected = documents(items)
    for place, item in enumerate(items):
        if isinstance(item, Checkpoint) and not item.complete:
            rest = read(connector, item.cursor)
            assert documents(items[:place]) | documents(rest) == expected
            assert "before" not in cursor_of(rest)


@pytest.mark.parametrize(
    ("happen", "changed"),
    [
        (lambda slack: slack.post("C1", ts(2, 9), "one more"), {"days/2026-03-03"}),
        (lambda slack: slack.post("C1", ts(9), "later"), {"days/2026-03-10"}),
        (lambda slack: slack.post("C1", ts(9), "late", thread_ts=ts(1)), {f"threads/{ts(1)}", "days/2026-03-02"}),
        (lambda slack: slack.post("C1", ts(9), "re", thread_ts=ts(0)), {f"threads/{ts(0)}", "days/2026-03-01"}),
        (
            lambda slack: slack.messages["C1"][ts(0)].update(text="good evening", edited={"ts": ts(5)}),
            {"days/2026-03-01"},
        ),
        (lambda slack: slack.messages["C1"].pop(ts(2)), {"days/2026-03-03"}),
        (
            lambda slack: [slack.messages["C1"].pop(one) for one in (ts(1, 1), ts(2, 5))],
            {"days/2026-03-02", "days/2026-03-03", f"threads/{ts(1)}"},
        ),
    ],
)
def test_what_changes_among_the_latest_messages_is_read_again(
    slack: Slack, connector: SlackConnector, happen: Callable[[Slack], object], changed: set[str]
) -> None:
    fill(slack)
    cursor = cursor_of(read(connector))
    happen(slack)
    items = read(connector, cursor)
    named = {id_of(item) for item in items[:-1]}
    assert {name.removeprefix(f"{ROOT}/") for name in named} == changed
    whole = documents(read(connector))
    assert all(item == whole[name] for name, item in documents(items).items())
    gone = {item.document_id.removeprefix(f"{ROOT}/") for item in items if isinstance(item, Deleted)}
    assert not gone & set(whole)
    assert read(connector, cursor_of(items)) == [items[-1]]


def test_more_new_messages_than_a_page_holds(slack: Slack, connector: SlackConnector) -> None:
    slack.page_size = 10
    slack.post("C1", ts(0), "first")
    cursor = cursor_of(read(connector))
    for number in range(35):
        slack.post("C1", ts(number // 10 + 1, number), f"message {number}")
    found = documents(read(connector, cursor))
    assert sum(text_of(item).count("message ") for item in found.values()) == 35


def test_the_cursor_stays_small(slack: Slack, connector: SlackConnector) -> None:
    for number in range(REMEMBERED + 50):
        slack.post("C1", ts(0, number), f"message {number}")
    slack.page_size = 1_000
    assert len(cursor_of(read(connector))["seen"]) == REMEMBERED


def test_a_window_takes_in_its_days_and_leaves_the_cursor(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    window = Window(START + timedelta(days=1, hours=-1), START + timedelta(days=2, hours=-1))
    items = read(connector, {"seen": {}}, window)
    assert set(documents(items)) == {f"threads/{ts(1)}", "days/2026-03-03"}
    assert items[-1] == Checkpoint({"seen": {}})
    until_midnight = Window(START + timedelta(days=1), datetime(2026, 3, 3, tzinfo=UTC))
    assert set(documents(read(connector, {"seen": {}}, until_midnight))) == {f"threads/{ts(1)}"}


def test_fetch_looks_again(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    whole = documents(read(connector))
    names = [*whole, "threads/1.000000", "days/2020-01-01"]
    items = list(connector.fetch(UNIT, [f"{ROOT}/{name}" for name in names]))
    assert documents(items) == whole
    assert [item.document_id for item in items if isinstance(item, Deleted)] == [
        f"{ROOT}/threads/1.000000",
        f"{ROOT}/days/2020-01-01",
    ]


def test_one_broken_thread_leaves_the_rest_alone(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    broken = {"ok": False, "error": "some_new_error"}
    slack.interrupt = lambda method, form: reply(200, broken) if method == "conversations.replies" else None
    items = read(connector)
    (failed,) = [item for item in items if isinstance(item, Failed)]
    assert "some_new_error" in failed.error
    assert len(documents(items)) == 2


def test_a_long_message_is_read(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", ts(0), "word " * 1_000_000)
    assert len(documents(read(connector))["days/2026-03-01"].content) > 4_900_000


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (reply(200, {"ok": False, "error": "invalid_auth"}), AuthenticationFailed, "invalid_auth"),
        (reply(200, {"ok": False, "error": "missing_scope", "needed": "groups:read"}), AccessDenied, "groups:read"),
        (reply(200, {"ok": False, "error": "ratelimited"}), RateLimited, "rate limit"),
        (reply(429, b"", **{"Retry-After": "500"}), RateLimited, "retry after 500 s"),
        (reply(502, b"<html>bad gateway</html>"), TransientError, "HTTP 502"),
        (reply(200, b'{"ok": true, "chan'), TransientError, "not JSON"),
    ],
)
def test_refusals_say_what_is_wrong(
    slack: Slack, connector: SlackConnector, answer: Response, error: type[SourceError], words: str
) -> None:
    slack.interrupt = lambda method, form: answer
    with pytest.raises(error, match=words) as raised:
        list(connector.units())
    assert TOKEN not in str(raised.value)


def test_a_limit_that_passes_is_waited_for(slack: Slack, connector: SlackConnector) -> None:
    answers = iter([reply(429, b"", **{"Retry-After": "0"}), reply(200, {"ok": False, "error": "ratelimited"})])
    slack.interrupt = lambda method, form: next(answers, None) if method == "conversations.list" else None
    assert [unit.id for unit in connector.units()] == ["C1"]


def test_memberships(slack: Slack, connector: SlackConnector) -> None:
    slack.channels["C2"] = {"id": "C2", "name": "secret", "is_private": True}
    slack.channels["C3"] = {"id": "C3", "name": "unclear"}
    slack.users["U4"] = {"id": "U4", "name": "robot", "is_bot": True, "profile": {"email": "robot@acme.test"}}
    slack.users["U5"] = {"id": "U5", "name": "left", "deleted": True, "profile": {"email": "left@acme.test"}}
    slack.members = {"C2": ["U1", "U3", "U4", "U5", "U9"], "C3": ["U2"]}
    found = {(one.group, one.email.partition("@")[0]) for one in connector.memberships() if isinstance(one, Membership)}
    assert found == {("workspace", "ada"), ("workspace", "bo"), ("C2", "ada"), ("C2", "guest"), ("C3", "bo")}
    slack.post("C2", ts(0), "hidden")
    (document,) = documents(connector.read(Unit("C2", "secret"))).values()
    assert document.readers == ("group:acme:C2",)


def test_people_of_other_organisations_and_user_groups(slack: Slack, connector: SlackConnector) -> None:
    """A Slack Connect channel: its members from elsewhere are nobody here."""
    slack.users["U6"] = {"id": "U6", "team_id": "T2", "profile": {"email": "ext@other.example"}}
    slack.users["U7"] = {"id": "U7", "is_stranger": True, "profile": {"email": "far@other.example"}}
    slack.users["U8"] = {"id": "U8", "team_id": "T3", "enterprise_user": {"teams": ["T1"]}}
    slack.users["U8"]["profile"] = {"email": "grid@acme.test"}
    slack.channels["C2"] = {"id": "C2", "name": "shared", "is_private": True, "is_ext_shared": True}
    slack.members = {"C2": ["U1", "U6", "U7"]}
    slack.groups["S1"] = {"id": "S1", "handle": "ops", "users": ["U2", "U6"]}
    slack.groups["S2"] = {"id": "S2", "handle": "old", "users": ["U2"], "date_delete": 1}
    found = {(one.group, one.email.partition("@")[0]) for one in connector.memberships() if isinstance(one, Membership)}
    assert found == {("workspace", "ada"), ("workspace", "bo"), ("workspace", "grid"), ("C2", "ada"), ("S1", "bo")}


def test_a_bot_reads_only_where_it_was_invited(slack: Slack, connector: SlackConnector) -> None:
    slack.channels |= {
        "C2": {"id": "C2", "name": "not-invited", "is_private": False, "is_member": False},
        "C3": {"id": "C3", "name": "archived", "is_private": False, "is_member": False, "is_archived": True},
        "C4": {"id": "C4", "name": "invited", "is_private": False, "is_member": True},
        "G1": {"id": "G1", "name": "mpdm-ada--bo-1", "is_mpim": True, "is_private": True, "is_member": True},
    }
    assert {unit.id for unit in connector.units()} == {"C1", "C2", "C3", "C4", "G1"}
    slack.bot_id = "B1"
    again = open_connector(slack)
    units = {unit.id: unit for unit in again.units()}
    assert set(units) == {"C1", "C3", "C4", "G1"}
    assert (units["G1"].readers, units["C4"].readers) == (("group:acme:G1",), ("group:acme:workspace",))


def test_check_says_what_the_token_reaches(slack: Slack, connector: SlackConnector) -> None:
    subjects = ["credentials", "channels", *(part.name for part in PARTS)]
    assert [(one.subject, one.ok) for one in connector.check()] == [(subject, True) for subject in subjects]
    slack.interrupt = lambda method, form: reply(200, {"ok": False, "error": "token_revoked"})
    (finding,) = connector.check()
    assert (finding.ok, "token_revoked" in finding.detail) == (False, True)


@pytest.mark.parametrize(("hours", "is_quiet"), [(23, False), (25, True)])
def test_a_channel_is_quiet_when_nothing_was_said_for_a_day(
    slack: Slack, connector: SlackConnector, hours: int, is_quiet: bool
) -> None:
    slack.post("C1", ts(0), "good morning")
    slack.post("C1", ts(1), "good morning to you", thread_ts=ts(0))
    later = START + timedelta(days=1, hours=hours)
    assert connector.is_quiet(cursor_of(read(connector)), later) is is_quiet


def test_a_channel_that_is_not_read_to_its_end_is_not_quiet(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    far_away = START + timedelta(days=999)
    first = next(item.cursor for item in read(connector) if isinstance(item, Checkpoint))
    assert not connector.is_quiet(first, far_away)
    slack.refuse("replies", "forbidden")
    assert not connector.is_quiet(cursor_of(read(connector)), far_away)
    slack.allow("replies")
    assert connector.is_quiet(cursor_of(read(connector)), far_away)
