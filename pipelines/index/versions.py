"""Collections by what they were made for: their names, and the refusal to mix them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pipelines.errors import IndexMismatch
from pipelines.index.contract import WINDOWS, IndexSpec, spec_metadata
from pipelines.index.lexical import READABLE

Check: TypeAlias = Callable[[IndexSpec, Mapping[str, Any], str], None]


def version_name(spec: IndexSpec) -> str:
    """`knowledge-0f3a…`: the real collection behind the alias, the same for the same spec."""
    digest = hashlib.sha256(json.dumps(spec_metadata(spec), sort_keys=True).encode()).hexdigest()
    return f"{spec.collection}-{digest[:12]}"


def check_stored(spec: IndexSpec, stored: Mapping[str, Any], where: str) -> None:
    """Raise IndexMismatch if what is stored with a collection differs from `spec`: nobody may write into it."""
    _check(spec_metadata(spec), stored, where)


def check_readable(spec: IndexSpec, stored: Mapping[str, Any], where: str) -> None:
    """Raise IndexMismatch if questions of this spec cannot be asked of a collection.

    How its documents were chunked is no matter, nor in which of several ways their words are kept: while one release
    takes the place of another, or gives it back, both answer from the version that is live.
    """
    asked = {name: value for name, value in spec_metadata(spec).items() if name not in ("chunking", WINDOWS)}
    stored = {name: value for name, value in stored.items() if name != WINDOWS}
    if stored.get("lexical") in READABLE:
        del asked["lexical"]
    _check(asked, stored, where)


def _check(expected: Mapping[str, Any], stored: Mapping[str, Any], where: str) -> None:
    differing = [name for name in {**expected, **_windows(stored)} if stored.get(name) != expected.get(name)]
    if differing:
        found = ", ".join(f"{name} {stored.get(name)!r}" for name in differing)
        configured = ", ".join(f"{name} {expected.get(name)!r}" for name in differing)
        raise IndexMismatch(
            f"{where}: the index was made with {found}, and this release and its settings say {configured}; "
            "run `headrace reindex` to rebuild it, or go back to what it was made with"
        )


def _windows(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    return {WINDOWS: stored[WINDOWS]} if WINDOWS in stored else {}
