"""The keys of the assets, and names that follow from a connection's id."""

from __future__ import annotations

from typing import Literal

import dagster as dg

from pipelines.ingestion.options import STAGES, Stage

RETRIEVAL = dg.AssetKey("retrieval")


def asset_key(connection: str, part: Stage | Literal["units", "memberships"]) -> dg.AssetKey:
    return dg.AssetKey([connection, part])


def stage_keys(connection: str) -> list[dg.AssetKey]:
    """Of documents, chunks and vectors."""
    return [asset_key(connection, stage) for stage in STAGES]


def dagster_name(connection: str) -> str:
    """A connection's id as the names of Dagster's jobs and steps allow it."""
    return connection.replace("-", "_")


def job_name(connection: str) -> str:
    return f"sync_{dagster_name(connection)}"
