"""Reading over time: whatever happens in a channel, reads with a cursor come to what a whole read says."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Checkpoint, Deleted, Item, PartState
from connectors.errors import InvalidResponse
from connectors.model import Document, Unit
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import list_entries, open_connector, read_items
from tests.emulators.slack import Slack

UNIT = Unit("C1", "general", "https://acme.slack.test/archives/C1", ("group:acme:workspace",))
START = 1_772_323_200
HOUR = 3_600


def ts(hours: int) -> str:
    return f"{START + hours * HOUR}.000100"


def workspace(page_size: int = 200, *, cursors: bool = False) -> Slack:
    made = Slack(page_size=page_size, cursors=cursors)
    made.channel("C1", "general")
    made.person("U1", "ada")
    return made


class Index:
    """What the items of reads add up to."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def take(self, items: list[Item]) -> dict[str, Any]:
        for item in items:
            if isinstance(item, Document):
                self.documents[item.id] = item
            elif not isinstance(item, Checkpoint | PartState):
                self.documents.pop(item.document_id, None)
        assert isinstance(items[-1], Checkpoint)
        return copy.deepcopy(items[-1].cursor)


def whole(made: Slack) -> dict[str, Document]:
    index = Index()
    index.take(list(open_connector(made).read(UNIT)))
    return index.documents


def happen(made: Slack, kind: str, place: int, number: int) -> None:
    """One change somewhere in the channel."""
    messages = made.messages.setdefault("C1", {})
    present = sorted(messages)
    chosen = present[place % len(present)] if present else ""
    last = int(present[-1].partition(".")[0]) if present else START
    at = f"{max(last, START + 40 * 24 * HOUR) + number * HOUR}.000200"
    root = messages[chosen].get("thread_ts", chosen) if chosen else ""
    match kind:
        case "say":
            made.post("C1", at, f"new {number}")
        case "reply" if root in messages and root < at:
            made.post("C1", at, f"reply {number}", thread_ts=root)
        case "broadcast" if root in messages and root < at:
            made.post("C1", at, f"broadcast {number}", thread_ts=root, subtype="thread_broadcast")
        case "edit" if chosen == root or messages.get(chosen, {}).get("subtype") == "thread_broadcast":
            messages[chosen] = messages[chosen] | {"text": f"edited {number}", "edited": {"ts": at}}
        case "delete":
            replies = [one for one in messages.values() if one.get("thread_ts") == chosen != one["ts"]]
            if replies:
                messages[chosen] = messages[chosen] | {"subtype": "tombstone", "text": "This message was deleted."}
            else:
                messages.pop(chosen, None)


happenings = st.lists(
    st.tuples(
        st.sampled_from(["say", "reply", "broadcast", "edit", "delete"]), st.integers(0, 60), st.integers(1, 2_000)
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(happenings, min_size=1, max_size=2), st.sampled_from([8, 200]), st.booleans())
def test_reads_with_a_cursor_come_to_what_a_whole_read_says(
    rounds: list[list[tuple[str, int, int]]], page_size: int, cursors: bool
) -> None:
    made = workspace(page_size, cursors=cursors)
    for number in range(20):
        made.post("C1", ts(number * 10), f"message {number}")
        if number % 4 == 0:
            made.post("C1", ts(number * 10 + 1), f"answer {number}", thread_ts=ts(number * 10))
    index = Index()
    cursor = index.take(list(open_connector(made).read(UNIT)))
    for happening in rounds:
        for kind, place, number in happening:
            happen(made, kind, place, number)
        for _ in range(12):  # more than a round of the channel takes
            cursor = index.take(list(open_connector(made).read(UNIT, cursor)))
        expected = whole(made)
        # A thread that went as a whole leaves no trace in the channel's history: a reconcile finds it.
        left = {name for name in index.documents.keys() - expected.keys() if "/threads/" in name}
        assert {name: one.version for name, one in index.documents.items() if name not in left} == {
            name: one.version for name, one in expected.items()
        }
        again = list(open_connector(made).fetch(UNIT, sorted(left)))
        assert {type(item) for item in again} <= {Deleted}
        index.take([*again, Checkpoint({})])


def test_a_late_reply_is_found_on_a_day_of_which_only_a_part_is_among_the_latest() -> None:
    made = workspace(4)
    for number, hour in enumerate((0, 48, 49, 50, 51, 72, 73)):
        made.post("C1", ts(hour), f"message {number}")
    index = Index()
    cursor = index.take(list(open_connector(made).read(UNIT)))
    made.messages["C1"].pop(ts(51))
    made.post("C1", ts(90), "late", thread_ts=ts(48))
    for _ in range(6):
        cursor = index.take(list(open_connector(made).read(UNIT, cursor)))
    assert {name: one.version for name, one in index.documents.items()} == {
        name: one.version for name, one in whole(made).items()
    }


@settings(max_examples=25, deadline=None)
@given(happenings, st.sampled_from([3, 200]))
def test_a_listing_names_what_a_whole_read_yields_with_its_mark(
    happening: list[tuple[str, int, int]], page_size: int
) -> None:
    made = workspace(page_size)
    for number in range(12):
        made.post("C1", ts(number * 10), f"message {number}")
        made.post("C1", ts(number * 10 + 1), f"answer {number}", thread_ts=ts(number // 3 * 30))
    for kind, place, number in happening:
        happen(made, kind, place, number)
    listed = {one.document_id: one for one in list_entries(open_connector(made), UNIT)}
    read = whole(made)
    assert {name: one.fingerprint for name, one in listed.items()} == {
        name: one.fingerprint for name, one in read.items()
    }
    for name, one in listed.items():
        listed_at, read_at = one.updated_at, read[name].updated_at
        assert listed_at
        assert read_at
        assert listed_at <= read_at


@pytest.mark.parametrize("cursors", [False, True])
@pytest.mark.parametrize("new", [1, 30, 120])
def test_any_number_of_new_messages_is_found_and_reading_them_can_be_interrupted(new: int, cursors: bool) -> None:
    made = workspace(20, cursors=cursors)
    for number in range(50):
        made.post("C1", ts(number), f"old {number}")
    cursor = Index().take(list(open_connector(made).read(UNIT)))
    for number in range(new):
        made.post("C1", ts(200 + number), f"new {number}")
        made.post("C1", ts(200 + number)[:-3] + "900", f"answer {number}", thread_ts=ts(200 + number))
    index, steps = Index(), 0
    while steps < 1_000:
        items = []
        for item in open_connector(made).read(UNIT, copy.deepcopy(cursor)):
            items.append(item)
            if isinstance(item, Checkpoint):
                break
        cursor, steps = index.take(items), steps + 1
        if "before" not in cursor:
            break
    threads = [one for one in index.documents.values() if one.kind == "thread"]
    assert (len(threads), steps <= 2 * new + 30) == (new, True)
    assert read_items(open_connector(made), UNIT, cursor)[:-1] == []


def test_a_thread_is_not_read_again_after_an_interruption() -> None:
    made = workspace()
    for number in range(6):
        made.post("C1", ts(number), f"root {number}")
        made.post("C1", ts(30 + number), f"answer {number}", thread_ts=ts(number))
    items = list(open_connector(made).read(UNIT))
    checkpoints = [item for item in items if isinstance(item, Checkpoint) and not item.complete]
    made.calls.clear()
    rest = list(open_connector(made).read(UNIT, checkpoints[2].cursor))
    assert [form["ts"] for method, form in made.calls if method == "conversations.replies"] == [ts(2), ts(1), ts(0)]
    assert [item.kind for item in rest if isinstance(item, Document)] == ["thread"] * 3


def test_an_edited_broadcast_of_an_old_thread_changes_the_thread() -> None:
    made = workspace(5)
    made.post("C1", ts(0), "root")
    for number in range(1, 9):
        made.post("C1", ts(number * 24), f"message {number}")
    made.post("C1", ts(220), "to all", thread_ts=ts(0), subtype="thread_broadcast")
    cursor = Index().take(list(open_connector(made).read(UNIT)))
    made.messages["C1"][ts(220)] |= {"text": "to everybody", "edited": {"ts": ts(221)}}
    documents = [item for item in open_connector(made).read(UNIT, cursor) if isinstance(item, Document)]
    assert [("to everybody" in one.content, one.id) for one in documents if one.kind == "thread"] == [
        (True, f"slack:acme/C1/threads/{ts(0)}")
    ]


def test_a_deleted_root_leaves_its_replies() -> None:
    made = workspace()
    made.post("C1", ts(0), "This message was deleted.", subtype="tombstone", user="USLACKBOT")
    made.post("C1", ts(1), "Still here.", thread_ts=ts(0))
    (thread,) = whole(made).values()
    assert (thread.title, "was deleted" in thread.content) == ("#general: Still here.", False)
    assert thread.url == f"{UNIT.url}/p{ts(1).replace('.', '')}?thread_ts={ts(0)}&cid=C1"


def test_a_thread_whose_count_is_wrong_keeps_its_root() -> None:
    made = workspace()
    made.post("C1", ts(0), "Alone by now.", reply_count=2, latest_reply=ts(1))
    (thread,) = whole(made).values()
    assert "Alone by now." in thread.content


def test_a_cursor_that_comes_again_is_no_end(slack: Slack, connector: SlackConnector) -> None:
    slack.answers["conversations.list"] = lambda form: {"channels": [], "response_metadata": {"next_cursor": "x"}}
    with pytest.raises(InvalidResponse, match="pagination loop: cursor repeated"):
        list(connector.units())
