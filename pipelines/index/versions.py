"""Collections by what they were made for: their names, and the refusal to mix them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipelines.errors import IndexMismatch
from pipelines.index.contract import IndexSpec, spec_metadata


def version_name(spec: IndexSpec) -> str:
    """`knowledge-0f3a…`: the real collection behind the alias, the same for the same spec."""
    digest = hashlib.sha256(json.dumps(spec_metadata(spec), sort_keys=True).encode()).hexdigest()
    return f"{spec.collection}-{digest[:12]}"


def check_stored(spec: IndexSpec, stored: Mapping[str, Any], where: str) -> None:
    """Raise IndexMismatch if what is stored with a collection differs from `spec`."""
    expected = spec_metadata(spec)
    differing = [name for name in expected if stored.get(name) != expected[name]]
    if differing:
        found = ", ".join(f"{name} {stored.get(name)!r}" for name in differing)
        configured = ", ".join(f"{name} {expected[name]!r}" for name in differing)
        raise IndexMismatch(
            f"{where}: the index was made with {found}, and the settings say {configured}; "
            "run `headrace reindex` to rebuild it, or restore the settings"
        )
