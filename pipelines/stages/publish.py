"""Publish: what was indexed becomes what assistants see."""

from __future__ import annotations

from pipelines.index.base import IndexInfo
from pipelines.workspace import Workspace


def publish(workspace: Workspace) -> IndexInfo:
    """Publish the index as it stands, and say what is in it. Raises IndexBusy and IndexMismatch."""
    with workspace.store() as store:
        store.publish()
        return store.info()
