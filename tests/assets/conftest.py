"""Dagster in the tests' own process."""

from __future__ import annotations

from tests.run_histories import keep_run_histories

keep_run_histories()
