"""The environment of the stack of `infra/` without its containers: what its settings name, on one machine."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.paths import ROOT


def stack_environment(
    home: Path, *, files: Path, catalog: str, runs: str, s3: str, qdrant: str, definitions: int
) -> dict[str, str]:
    """`home` is DAGSTER_HOME and holds the settings, `files` what steps print; catalog and Dagster's runs are databases
    of one server, by URL; `definitions` is the code server's port."""
    at = make_url(catalog)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DAGSTER_HOME": str(home),
        "DAGSTER_FILES": str(files),
        "HEADRACE_CONFIG": str(home / "headrace.yaml"),
        "POSTGRES_HOST": str(at.host),
        "POSTGRES_PORT": str(at.port),
        "POSTGRES_USER": str(at.username),
        "POSTGRES_PASSWORD": at.password or "none",
        "POSTGRES_DB": str(at.database),
        "DAGSTER_POSTGRES_DB": str(make_url(runs).database),
        "DEFINITIONS_HOST": "127.0.0.1",
        "DEFINITIONS_PORT": str(definitions),
        "QDRANT_URL": qdrant,
        "QDRANT_API_KEY": "none",
        "S3_URL": s3,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
