"""What a read takes in at its edges: old days, files of threads, bounds, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Checkpoint, Cursor, Deleted, Item, Window
from connectors.model import Document, Unit
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import id_of, list_entries, read_items
from tests.emulators.slack import Slack

UNIT = Unit("C1", "general")
START = 1_772_323_200
"""2026-03-01, in Unix seconds."""
DAY = 86_400


def ts(days: float = 0, seconds: int = 0, fraction: str = "000100") -> str:
    return f"{START + int(days * DAY) + seconds}.{fraction}"


def file(name: str) -> dict[str, Any]:
    return {"id": name, "mimetype": "text/plain", "url_private": f"https://files.slack.com/files-pri/{name}"}


def names(items: list[Item]) -> set[str]:
    return {id_of(item).removeprefix("slack:acme/C1/") for item in items if not isinstance(item, Checkpoint)}


def cursor_of(items: list[Item]) -> Cursor:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


@pytest.fixture
def slack(slack: Slack) -> Slack:
    """A page shows four messages: those of the last two days."""
    slack.page_size = 4
    for day in range(10):
        slack.post("C1", ts(day), f"first {day}")
        slack.post("C1", ts(day, 60), f"second {day}")
    slack.post("C1", ts(4, 120), "answer", thread_ts=ts(4))
    slack.post("C1", ts(6, 120), "answer", thread_ts=ts(6))
    return slack


def read_round(connector: SlackConnector, cursor: Cursor) -> tuple[list[Item], Cursor]:
    """The items of more reads than going round the channel takes."""
    items: list[Item] = []
    for _ in range(12):
        items += read_items(connector, UNIT, cursor)
        cursor = cursor_of(items)
    return [item for item in items if not isinstance(item, Checkpoint)], cursor


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda messages: None, set()),
        (lambda messages: messages[ts(1)].update(text="edited"), {"days/2026-03-02", f"threads/{ts(1)}"}),
        (lambda messages: [messages.pop(ts(2)), messages.pop(ts(2, 60))], {"days/2026-03-03"}),
        (lambda messages: [messages.pop(ts(0)), messages.pop(ts(0, 60))], {"days/2026-03-01"}),
        (lambda messages: messages.pop(ts(4, 120)), {"days/2026-03-05", f"threads/{ts(4)}"}),
        (
            lambda messages: messages.update({ts(20): {"ts": ts(20), "text": "late", "thread_ts": ts(3)}}),
            {"days/2026-03-04", f"threads/{ts(3)}"},
        ),
    ],
)
def test_an_old_change_is_found_within_one_round_and_reported_once(
    slack: Slack,
    connector: SlackConnector,
    change: Callable[[dict[str, Any]], object],
    expected: set[str],
) -> None:
    index = {item.id: item.version for item in connector.read(UNIT) if isinstance(item, Document)}
    cursor = cursor_of(read_items(connector, UNIT))
    change(slack.messages["C1"])
    items, cursor = read_round(connector, cursor)
    others = {name for name in names(items) - expected if not name.startswith("threads/")}
    assert (expected <= names(items), others) == (True, set())
    for item in items:
        index.pop(id_of(item), None)
        if isinstance(item, Document):
            index[item.id] = item.version
    assert index == {item.id: item.version for item in connector.read(UNIT) if isinstance(item, Document)}
    assert cursor["days"] == cursor_of(read_items(connector, UNIT))["days"]
    assert read_round(connector, cursor)[0] == []


def test_messages_of_an_old_day_that_differs_are_no_threads_any_more(slack: Slack, connector: SlackConnector) -> None:
    cursor = cursor_of(read_items(connector, UNIT))
    slack.messages["C1"].pop(ts(4, 120))
    deleted = {id_of(item) for item in read_round(connector, cursor)[0] if isinstance(item, Deleted)}
    assert deleted == {f"slack:acme/C1/threads/{ts(4)}", f"slack:acme/C1/threads/{ts(4, 60)}"}


def test_going_round_takes_one_page_a_read_and_begins_again(slack: Slack, connector: SlackConnector) -> None:
    cursor = cursor_of(read_items(connector, UNIT))
    slack.calls.clear()
    swept = []
    for _ in range(6):
        cursor = cursor_of(read_items(connector, UNIT, cursor))
        swept.append(cursor.get("swept"))
    assert sum(method == "conversations.history" for method, _ in slack.calls) == 12
    assert swept == [f"2026-03-0{day}" for day in (9, 8, 7, 6, 5, 4)]
    for _ in range(2):
        cursor = cursor_of(read_items(connector, UNIT, cursor))
    assert "swept" not in cursor


def test_a_channel_that_a_page_shows_is_not_gone_round(slack: Slack, connector: SlackConnector) -> None:
    slack.page_size = 100
    cursor = cursor_of(read_items(connector, UNIT)) | {"swept": "2026-03-04"}
    slack.calls.clear()
    assert "swept" not in cursor_of(read_items(connector, UNIT, cursor))
    assert sum(method == "conversations.history" for method, _ in slack.calls) == 1


def test_a_read_can_go_on_after_every_thread_and_day(slack: Slack, connector: SlackConnector) -> None:
    items = read_items(connector, UNIT)
    assert sum(isinstance(item, Checkpoint) for item in items) == 10 + 2 + 1
    before = [item.cursor.get("before") for item in items if isinstance(item, Checkpoint)]
    assert before[3:6] == [ts(6), ts(6, fraction="000000"), ts(5, fraction="000000")]


def test_a_day_is_not_read_again_where_its_threads_go_on(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", ts(6, 90), "late answer", thread_ts=ts(6, 60))
    items = read_items(connector, UNIT)
    stopped = next(item for item in items if isinstance(item, Checkpoint) and item.cursor.get("before") == ts(6, 60))
    rest = names(read_items(connector, UNIT, stopped.cursor))
    assert rest & {"days/2026-03-07", f"threads/{ts(6)}", f"threads/{ts(6, 60)}"} == {f"threads/{ts(6)}"}


@pytest.mark.parametrize("page_size", [3, 200])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda messages: messages[ts(9)].update(text="edited"), {"days/2026-03-10"}),
        (lambda messages: messages[ts(8, 60)].update(text="edited"), {"days/2026-03-09"}),
        (lambda messages: messages.pop(ts(9)), {"days/2026-03-10"}),
        (lambda messages: [messages.pop(ts(9)), messages.pop(ts(9, 60))], {"days/2026-03-10"}),
        (lambda messages: [messages.pop(ts(8)), messages.pop(ts(8, 60))], {"days/2026-03-09"}),
    ],
)
def test_the_days_of_the_latest_messages_are_known_as_a_whole_read_knows_them(
    slack: Slack,
    connector: SlackConnector,
    page_size: int,
    change: Callable[[dict[str, Any]], object],
    expected: set[str],
) -> None:
    """A page of three messages shows the last day and a part of the one before."""
    slack.page_size = page_size
    cursor = cursor_of(read_items(connector, UNIT))
    change(slack.messages["C1"])
    items = read_items(connector, UNIT, cursor)
    whole = read_items(connector, UNIT)
    assert expected <= names(items)
    assert {type(item) for item in items} <= {Document, Deleted, Checkpoint}
    documents = {item.id: item for item in whole if isinstance(item, Document)}
    assert all(documents.get(id_of(item)) == item for item in items if isinstance(item, Document))
    assert cursor_of(items)["days"] == cursor_of(whole)["days"]


def test_a_channel_that_was_empty_is_read_in_full(slack: Slack, connector: SlackConnector) -> None:
    messages, slack.messages["C1"] = slack.messages["C1"], {}
    cursor = cursor_of(read_items(connector, UNIT))
    slack.messages["C1"] = messages
    assert names(read_items(connector, UNIT, cursor)) == names(read_items(connector, UNIT))


def test_bounds_are_days_and_a_day_begins_at_midnight(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", ts(2, fraction="000000"), "at midnight")
    window = Window(datetime(2026, 3, 3, 12, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))
    found = {item.id: item for item in connector.read(UNIT, None, window) if isinstance(item, Document)}
    assert {name[-10:] for name in found} == {"2026-03-03", "2026-03-04"}
    (day,) = connector.fetch(UNIT, ["slack:acme/C1/days/2026-03-03"])
    assert day == found["slack:acme/C1/days/2026-03-03"]
    assert "at midnight" in str(found["slack:acme/C1/days/2026-03-03"].content)


@pytest.mark.parametrize(
    ("window", "days"),
    [
        (Window(until=datetime(2026, 3, 3, tzinfo=UTC)), {1, 2}),
        (Window(since=datetime(2026, 3, 9, 1, tzinfo=UTC)), {9, 10}),
        (Window(datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 3, 5, 0, 0, 1, tzinfo=UTC)), {5}),
    ],
)
def test_a_window_may_be_open(slack: Slack, connector: SlackConnector, window: Window, days: set[int]) -> None:
    items = read_items(connector, UNIT, None, window)
    found = [item for item in items if isinstance(item, Document)]
    assert len(found) == len(items) - 1  # nothing is deleted by what a window shows
    assert {int(item.id[-2:]) for item in found if item.kind == "messages"} == days


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (3, {"days/2026-03-21"}),
        (4, {"days/2026-03-21", "days/2026-03-10"}),  # more may be new than a page shows
        (9, {"days/2026-03-21", "days/2026-03-10"}),
    ],
)
def test_what_is_new_is_read_back_to_the_day_that_is_known(
    slack: Slack, connector: SlackConnector, new: int, expected: set[str]
) -> None:
    slack.post("C1", ts(9, fraction="000000"), "at midnight")
    cursor = cursor_of(read_items(connector, UNIT))
    for number in range(new):
        slack.post("C1", ts(20, number), "new")
    items = read_items(connector, UNIT, cursor)
    assert (names(items), "down_to" in cursor_of(items)) == (expected, False)
    known_day = [item for item in items if isinstance(item, Document) and item.id.endswith("2026-03-10")]
    assert all("at midnight" in str(item.content) for item in known_day)


@pytest.fixture
def shared(slack: Slack) -> Slack:
    """Files of a day's message, of a root, of a reply, and of one that is shown in the channel too."""
    slack.page_size = 200
    messages = slack.messages["C1"]
    messages[ts(9)] |= {"files": [file("Fday")]}
    messages[ts(6)] |= {"files": [file("Froot")]}
    slack.post("C1", ts(6, 300), "see", thread_ts=ts(6), files=[file("Freply")])
    slack.post("C1", ts(9, 300), "see", thread_ts=ts(6), subtype="thread_broadcast", files=[file("Fboth")])
    return slack


@pytest.mark.usefixtures("shared")
def test_every_file_is_read_once_and_listed_by_its_message_where_files_cannot_be_listed(
    slack: Slack, connector: SlackConnector
) -> None:
    denied = {"ok": False, "error": "missing_scope"}
    slack.interrupt = lambda method, form: denied if method == "files.list" else None
    read = [item for item in connector.read(UNIT) if isinstance(item, Document)]
    listed = list_entries(connector, UNIT)
    assert sorted(item.id for item in read) == sorted(entry.document_id for entry in listed)
    assert {item.id: item.fingerprint for item in read} == {entry.document_id: entry.fingerprint for entry in listed}
    assert [item.id[-4:] for item in read if item.kind == "file"].count("both") == 1


@pytest.mark.usefixtures("shared")
def test_only_new_files_are_loaded_again(slack: Slack, connector: SlackConnector) -> None:
    cursor = cursor_of(read_items(connector, UNIT))
    slack.post("C1", ts(11), "one more", thread_ts=ts(6), files=[file("Fnew")])
    slack.messages["C1"][ts(8)] |= {"text": "edited", "files": [file("Fedited")]}
    slack.calls.clear()
    found = names(read_items(connector, UNIT, cursor))
    assert found == {"days/2026-03-07", "days/2026-03-09", f"threads/{ts(6)}", "files/Fnew", "files/Fedited"}
    assert sum(method == "file" for method, _ in slack.calls) == 2


@pytest.mark.usefixtures("shared")
def test_a_file_that_comes_alone_is_read(slack: Slack, connector: SlackConnector) -> None:
    cursor = cursor_of(read_items(connector, UNIT))
    slack.post("C1", ts(11), "see", files=[file("Fnew")])
    assert names(read_items(connector, UNIT, cursor)) == {"days/2026-03-12", "files/Fnew"}


@pytest.mark.usefixtures("shared")
def test_files_of_a_thread_that_is_gone_are_not_read(slack: Slack, connector: SlackConnector) -> None:
    cursor = cursor_of(read_items(connector, UNIT))
    gone = {"ok": False, "error": "some_new_error"}
    slack.post("C1", ts(11), "one more", thread_ts=ts(6), files=[file("Fnew")])
    slack.interrupt = lambda method, form: gone if method == "conversations.replies" else None
    assert names(read_items(connector, UNIT, cursor)) == {"days/2026-03-07", f"threads/{ts(6)}"}


@pytest.mark.parametrize(
    "name", ["threads/soon", "threads/2026-03-01", "days/soon", f"days/{ts()}", "other/2026-03-01"]
)
def test_an_id_that_is_no_documents_is_gone_without_a_request(
    slack: Slack, connector: SlackConnector, name: str
) -> None:
    document_id = f"slack:acme/C1/{name}"
    assert list(connector.fetch(UNIT, [document_id])) == [Deleted(document_id)]
    assert {method for method, _ in slack.calls} == {"conversations.info"}
