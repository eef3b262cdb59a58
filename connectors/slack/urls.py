"""What is meant by the URLs that people copy in Slack. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from connectors.slack.timestamps import day_of

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


def _of_message(parts: SplitResult) -> Iterator[str]:
    named = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if found := _MESSAGE.fullmatch(parts.path):
        channel, ts = found["channel"], f"{found['seconds']}.{found['rest']}"
    elif found := _IN_BROWSER.fullmatch(parts.path):
        channel, ts = found["channel"], found["ts"]
    else:
        return
    if _TS.fullmatch(thread := named.get("thread_ts", "")):
        yield f"{channel}/threads/{thread}"
    yield f"{channel}/threads/{ts}"
    yield f"{channel}/days/{day_of(ts)}"
