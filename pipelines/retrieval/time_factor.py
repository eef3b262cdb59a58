"""What a document's own time takes from its score where a question asks for a time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.index.contract import Payload
from pipelines.retrieval.time_words import AskedTime

_OUTSIDE_SHARE = 0.4
"""How much of its score a document loses at most that is far from the time asked for. A page that was edited later
may still be the one that tells of it, so nothing is left out. With less than 0.4 those of the time stay too low, with
more a rota that was written before the week it names is lost: seen on some forty questions, no more."""
_AGE_SHARE = 0.4
_NEWEST_HALF_LIFE = timedelta(days=30)
"""How much an old one loses at most where the newest is asked for, and how soon it loses half of that. On 98 questions
for the newest of a channel, a repository or a topic the mean reciprocal rank is 0.63 with them, 0.59 with 0.3 and 60
days (p = 0.03), 0.49 where age does not count. Those that say `currently` of what was written long ago pay for it:
nDCG@10 is 0.944, where it is 0.964 without, 0.948 with 0.3 and 60 days, and 0.928 with 0.5."""
_SHORTEST_SCALE = timedelta(days=7)
"""What is written on the days after a day often tells of it."""


def time_factor(asked: AskedTime, payload: Payload, now: datetime) -> float:
    """From 1 for a document of the time asked for to less for one far from it, or without a time."""
    share = _AGE_SHARE if asked.start is None else _OUTSIDE_SHARE
    distance = _distance(asked, payload, now)
    return 1 - share if distance is None else 1 - share * (1 - 0.5**distance)


def _distance(asked: AskedTime, payload: Payload, now: datetime) -> float | None:
    """In half-lives; None where the document has no time."""
    updated = _moment(payload["updated_at"]) or _moment(payload["created_at"])
    if updated is None:
        return None
    if asked.start is None:
        return max(now - updated, timedelta()) / _NEWEST_HALF_LIFE
    created = min(_moment(payload["created_at"]) or updated, updated)
    end = asked.end or max(now, updated)
    gap = max(asked.start - updated, created - end, timedelta())
    return gap / max(end - asked.start, _SHORTEST_SCALE)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
