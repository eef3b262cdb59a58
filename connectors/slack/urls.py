"""What is meant by the URLs that people copy in Slack. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from connectors.model import Utterance
from connectors.slack.timestamps import day_of, moment, time_mark

_CHANNEL = r"[CDG][A-Z0-9]{2,}"
_MESSAGE = re.compile(rf"/archives/(?P<channel>{_CHANNEL})/p(?P<seconds>\d{{10}})(?P<rest>\d{{6}})/?")
_IN_BROWSER = re.compile(rf"/client/[^/]+/{_CHANNEL}/(?:thread/)?(?P<channel>{_CHANNEL})-(?P<ts>\d{{10}}\.\d{{6}})/?")
_FILE = re.compile(r"/(?:files|docs|canvas|lists)/(?:[^/]+/)?(?P<file>F[A-Z0-9]{2,})(?:/.*)?")
_TS = re.compile(r"\d{10}\.\d{6}")


def ids_in_url(url: str) -> list[str]:
    """Ends of the ids of what can be meant: the thread or day of a message, or a file; the closest one first.

    Permalinks of replies name their thread (https://docs.slack.dev/reference/methods/chat.getPermalink).

    >>> ids_in_url("https://acme.slack.com/archives/C1A/p1700000100000200?thread_ts=1700000000.000100&cid=C1A")
    ['C1A/threads/1700000000.000100', 'C1A/threads/1700000100.000200', 'C1A/days/2023-11-14']
    """
    parts = urlsplit(url)
    if file := _FILE.fullmatch(parts.path):
        return [f"files/{file['file']}"]
    return list(dict.fromkeys(_of_message(parts)))


def said_in_url(url: str) -> Utterance | None:
    """The message that a permalink names without its thread: it may be a reply.

    >>> said_in_url("https://acme.slack.com/archives/C1A/p1700000100000200").mark
    '(2023-11-14 22:15): '
    """
    parts = urlsplit(url)
    named = _message_in(parts)
    if named is None or _thread_in(parts):
        return None
    channel, ts = named
    return Utterance(channel, moment(ts), time_mark(ts))


def _of_message(parts: SplitResult) -> Iterator[str]:
    if named := _message_in(parts):
        channel, ts = named
        if thread := _thread_in(parts):
            yield f"{channel}/threads/{thread}"
        yield f"{channel}/threads/{ts}"
        yield f"{channel}/days/{day_of(ts)}"


def _message_in(parts: SplitResult) -> tuple[str, str] | None:
    """Channel and time of a message."""
    if found := _MESSAGE.fullmatch(parts.path):
        return found["channel"], f"{found['seconds']}.{found['rest']}"
    if found := _IN_BROWSER.fullmatch(parts.path):
        return found["channel"], found["ts"]
    return None


def _thread_in(parts: SplitResult) -> str:
    named = parse_qs(parts.query).get("thread_ts", [""])[0]
    return named if _TS.fullmatch(named) else ""
