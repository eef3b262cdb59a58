"""What is wrong with settings whatever else is: found in the file's values before they are validated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

Problem: TypeAlias = tuple[str, str]
"""A path in the file, and what is wrong there."""

SHORTEST_KEY = 20
"""Characters. What is shorter can be found by trying."""
SHORTEST_SECRET = 12
"""Characters of a secret of webhooks: one delivery is enough to try others against its signature, at leisure."""
_MADE = "`openssl rand -hex 32` makes a good one"


def raw_problems(values: Mapping[str, Any], open_key: str, taking: Collection[str]) -> Iterator[Problem]:
    """Ids that are there twice, and keys that can be guessed or are another's too; `open_key` may be short. The token
    of a connection is such a key where its source is one of `taking`, to which documents are pushed."""
    yield from _repeated_ids(values)
    yield from _bad_keys(values, open_key, taking)
    for path, connection in _entries(values, "connections"):
        # An empty one takes no webhooks.
        if secret := _text(connection.get("webhook_secret")):
            yield from _too_short(f"{path}.webhook_secret", secret, SHORTEST_SECRET)


def _repeated_ids(values: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("connections", "assistants"):
        first: dict[str, str] = {}
        for path, entry in _entries(values, name):
            own = _text(entry.get("id"))
            if own and first.setdefault(own, path) != path:
                yield f"{path}.id", f"duplicate id {own!r}: {first[own]} has it too"


def _bad_keys(values: Mapping[str, Any], open_key: str, taking: Collection[str]) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for path, entry in _entries(values, "assistants"):
        key, own = _text(entry.get("api_key")), _text(entry.get("id")) or path
        if key is None:
            continue
        if key != open_key:
            yield from _too_short(f"{path}.api_key", key, SHORTEST_KEY)
        if (other := holders.setdefault(key, own)) != own:
            yield f"{path}.api_key", f"is the key of the assistant {other!r} too; each needs one of its own"
    for path, value in _other_keys(values, taking):
        if (key := _text(value)) is not None:
            yield from _too_short(path, key, SHORTEST_KEY)
            if (other := holders.setdefault(key, path)) != path:
                yield path, f"is the key of {other!r} too; it must be one of its own"


def _other_keys(values: Mapping[str, Any], taking: Collection[str]) -> Iterator[tuple[str, Any]]:
    metrics = values.get("metrics")
    yield "metrics.key", metrics.get("key") if isinstance(metrics, Mapping) else None
    yield "operator_key", values.get("operator_key")
    for path, connection in _entries(values, "connections"):
        if connection.get("source") in taking:
            yield f"{path}.token", connection.get("token")


def _entries(values: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those of a list that are what they should be, with their paths."""
    listed = values.get(name)
    for place, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, Mapping):
            yield f"{name}[{place}]", entry


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _too_short(path: str, secret: str, least: int) -> Iterator[Problem]:
    if len(secret) < least:
        yield path, f"must have at least {least} characters, chosen by chance: {_MADE}"
