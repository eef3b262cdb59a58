"""What a version of an embedded collection was made for: the file beside its shard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.atomic_files import write_json
from pipelines.index.contract import IndexSpec, spec_metadata
from pipelines.index.embedded.snapshots import Snapshots
from pipelines.index.versions import Check, check_stored, version_name

_FILE = "spec.json"


def check_live(snapshots: Snapshots, spec: IndexSpec, check: Check) -> None:
    """Raise IndexMismatch if the live version is another one and does not pass a check of `versions`."""
    live = snapshots.live()
    if live and live.version != version_name(spec):
        check(spec, read_spec(snapshots.root / live.version) or {}, str(snapshots.file))


def read_spec(folder: Path) -> dict[str, Any] | None:
    """The stored part of the spec that the version in `folder` was made for; None if there is no such version."""
    try:
        stored: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return stored


def claim_folder(folder: Path, spec: IndexSpec) -> None:
    """Write down what a new version is made for. Raises IndexMismatch if `folder` holds one made for another spec."""
    stored = read_spec(folder)
    if stored is None:
        write_json(folder / _FILE, dict(spec_metadata(spec)))
    else:
        check_stored(spec, stored, str(folder))
