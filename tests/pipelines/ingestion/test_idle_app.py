"""What an hour in which nothing happens costs of an app's quota. From outside: `tests/e2e/test_idle_github.py`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from connectors.registry import connect
from pipelines.ingestion.connection_rights import refresh_memberships
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.elapsed import let_pass
from tests.emulators.github import GitHub, app_settings, serving

BUDGET = 3
SYNCS, READINGS = 4, 6
OF_THE_CONNECTION = 3 * (SYNCS + READINGS)
"""A token and a list of units, and what happened last or who belongs to them."""
NEVER = "0 0 1 1 *"
READ = SyncOptions(stages=("documents",))
SCHEDULED = SyncOptions(stages=("documents",), scheduled=True)


def test_an_idle_repository_of_an_app_costs_at_most_three_requests_an_hour(tmp_path: Path) -> None:
    size = 10
    github = GitHub()
    for one in range(size):
        mill = github.repository(f"acme/{one}", private=True, collaborators=["ada"])
        github.issue(mill, "Wheel")
    with serving(github) as url:
        own = {"id": "gh", "source": "github", "base_url": url, "memberships_schedule": NEVER}
        given = own | app_settings(github)
        settings = Settings.model_validate({"connections": [given], "state_dir": tmp_path})
        (connection,) = settings.connections
        with Services(settings) as services:
            for _ in range(2):
                assert not sync_connection(services, connection, options=READ).errors
            github.forget()
            for _ in range(SYNCS):
                let_pass(services, 15)
                assert not sync_connection(services, connection, options=SCHEDULED).errors
            for _ in range(READINGS):
                with closing(connect(connection)) as connector:
                    refresh_memberships(services, connection, connector)
    assert len(github.counted) == OF_THE_CONNECTION <= BUDGET * size
