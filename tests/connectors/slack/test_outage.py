"""A workspace that stops answering is left after a few requests, and the next read goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
import stamina

from connectors.contract import Checkpoint, Cursor, Failed, Item, PartState
from connectors.errors import TransientError
from connectors.http import ATTEMPTS
from connectors.model import Document, Unit
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import open_connector, read_items, reply
from tests.emulators.slack import Slack

UNIT = Unit("C1", "general")
START = 1_772_323_200
DAY = 86_400
ASKED_AT_MOST = 10


@pytest.fixture
def connector(connector: SlackConnector) -> Iterator[SlackConnector]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield connector


def fill(slack: Slack, days: int = 20) -> None:
    """Each day: a thread, a message with a file that is read, and one with a picture, which is not."""
    for day in range(days):
        root, text, picture = (f"{START + day * DAY + hour * 3_600}.000100" for hour in (1, 3, 5))
        file = {"id": f"F{day}", "mimetype": "text/plain", "url_private": f"https://files.slack.com/files-pri/F{day}"}
        slack.files[f"F{day}"] = file | {"channels": ["C1"]}
        slack.post("C1", root, f"question {day}")
        slack.post("C1", f"{root[:-3]}900", f"answer {day}", thread_ts=root)
        slack.post("C1", text, "see this", files=[file])
        slack.post("C1", picture, "look", files=[file | {"id": f"P{day}", "mimetype": "image/png"}])


def stop(slack: Slack, *methods: str) -> None:
    """From now on these methods answer 503; all of them where none is named."""
    slack.calls.clear()
    slack.interrupt = lambda method, form: reply(503, b"") if not methods or method in methods else None


def read_until_it_fails(connector: SlackConnector, cursor: Cursor | None = None) -> list[Item]:
    return until_it_fails(connector.read(UNIT, cursor))


def until_it_fails(reading: Iterator[Item]) -> list[Item]:
    """What is read before the error that ends it."""
    items: list[Item] = []
    try:
        items += reading  # what came before an error stays
    except TransientError:
        return items
    raise AssertionError("the read came to its end")


def read_while_it_answers(connector: SlackConnector, cursor: Cursor | None = None) -> list[Item]:
    """What is read before an error ends it, if one does."""
    items: list[Item] = []
    with suppress(TransientError):
        items += connector.read(UNIT, cursor)
    return items


def cursor_of(items: list[Item]) -> Cursor:
    return [item.cursor for item in items if isinstance(item, Checkpoint)][-1]


def refused(slack: Slack, *methods: str) -> int:
    return sum(1 for method, _ in slack.calls if not methods or method in methods)


def test_a_workspace_that_is_down_is_left_after_a_few_requests(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    list(connector.units())
    stop(slack)
    items = read_until_it_fails(connector)
    assert refused(slack) <= ASKED_AT_MOST
    assert sum(isinstance(item, Failed) for item in items) <= 2


@pytest.mark.parametrize(
    ("methods", "failing"),
    [
        (("conversations.replies",), {"replies"}),
        (("conversations.replies", "file"), {"replies", "files"}),
        (("conversations.history",), {"history"}),
        (("users.list", "users.info"), {"people"}),
        (("file",), {"files"}),
    ],
)
def test_a_part_that_fails_is_left_after_a_few_requests_and_read_once_it_answers(
    slack: Slack, connector: SlackConnector, methods: tuple[str, ...], failing: set[str]
) -> None:
    fill(slack)
    slack.post("C1", f"{START + 40 * DAY}.000100", "hello <@U2>")
    with closing(open_connector(slack)) as other:
        whole = {item.id: item.version for item in other.read(UNIT) if isinstance(item, Document)}
    list(connector.units())
    stop(slack, *methods)
    first = read_while_it_answers(connector)
    assert refused(slack, *methods) <= ASKED_AT_MOST * len(failing)
    assert sum(isinstance(item, Failed) for item in first) <= 2 * len(methods)
    items = [*first, *read_while_it_answers(connector, cursor_of(first))]
    states = {item.part for item in items if isinstance(item, PartState) and item.status == "failing"}
    assert states == failing
    slack.calls.clear()
    again = read_while_it_answers(connector, cursor_of(items))
    assert refused(slack, *methods) <= len(methods) * ATTEMPTS
    slack.interrupt = lambda method, form: None
    list(connector.memberships())  # looks at people anew
    index = {item.id: item.version for item in items if isinstance(item, Document)}
    index |= {item.id: item.version for item in connector.read(UNIT, cursor_of(again)) if isinstance(item, Document)}
    assert index == whole


def test_the_next_read_goes_on_where_the_last_one_stopped(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    whole = {item.id for item in connector.read(UNIT) if isinstance(item, Document)}
    before: list[Item] = []
    for item in connector.read(UNIT):
        before.append(item)
        if isinstance(item, Checkpoint):
            stop(slack)
            break
    before += read_until_it_fails(connector, cursor_of(before))
    slack.interrupt = lambda method, form: None
    slack.calls.clear()
    rest = read_items(connector, UNIT, cursor_of(before))
    failed = [item.document_id for item in before if isinstance(item, Failed)]
    again = list(connector.fetch(UNIT, failed))
    assert {item.id for item in [*before, *rest, *again] if isinstance(item, Document)} == whole
    assert refused(slack, "conversations.replies") < 20  # the threads that were read are not read again


def test_changes_that_could_not_be_read_are_found_by_the_next_read(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    cursor = cursor_of(list(connector.read(UNIT)))
    for day in range(5):
        slack.post("C1", f"{START + 30 * DAY}.00{day}", "late", thread_ts=f"{START + day * DAY + 3_600}.000100")
    stop(slack, "conversations.replies")
    cursor = cursor_of(read_until_it_fails(connector, cursor))
    slack.interrupt = lambda method, form: None
    items = connector.read(UNIT, cursor)
    assert sum(isinstance(item, Document) and "late" in item.content for item in items) == 5


def test_a_fetch_of_many_is_left_too(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    wanted = [item.id for item in connector.read(UNIT) if isinstance(item, Document)]
    list(connector.fetch(UNIT, wanted[:1]))
    stop(slack, "conversations.replies", "conversations.history", "files.info")
    items = until_it_fails(connector.fetch(UNIT, wanted))
    assert [type(item) for item in items] in ([Failed] * 2, [Failed] * 3)  # a file fails for itself
    assert refused(slack) <= ASKED_AT_MOST


def test_a_file_host_that_is_down_leaves_the_messages_alone(slack: Slack, connector: SlackConnector) -> None:
    fill(slack)
    stop(slack, "file")
    items = read_items(connector, UNIT)
    kinds = [item.kind for item in items if isinstance(item, Document)]
    assert (kinds.count("messages"), kinds.count("thread"), kinds.count("file")) == (20, 20, 0)
    assert refused(slack, "file") <= ASKED_AT_MOST
