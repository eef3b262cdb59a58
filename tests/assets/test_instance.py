"""Dagster's history: made once whoever comes first, named with its cure where it is broken, and kept in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy.engine import make_url

from assets.instance import RunHistoryError, dagster_instance
from pipelines.operations.migrate import migrate_all
from pipelines.settings import Settings
from tests.dagster_api import wait_for
from tests.emulators.postgres import PostgresServer
from tests.paths import ROOT

OPEN = """
import sys
from assets.instance import dagster_instance
from pipelines.settings import load_settings
print("ready", flush=True)
sys.stdin.readline()
with dagster_instance(load_settings()) as instance:
    instance.get_runs()
"""


@pytest.mark.slow
def test_processes_that_open_a_fresh_history_at_once_make_it_whole(tmp_path: Path) -> None:
    (tmp_path / "headrace.yaml").write_text("connections: []\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]


def break_history(home: Path) -> None:
    """As two processes leave it that make it at once: with two revisions."""
    with closing(sqlite3.connect(home / "history" / "runs.db")) as connection, connection:
        connection.execute("INSERT INTO alembic_version VALUES ('5771160a95ad')")


def test_nothing_is_told_to_the_makers_of_dagster(settings: Settings) -> None:
    with dagster_instance(settings) as instance:
        assert not instance.telemetry_enabled


def test_a_broken_history_is_named_with_its_cure(settings: Settings) -> None:
    with dagster_instance(settings):
        pass
    home = settings.state_path / "dagster"
    break_history(home)
    with pytest.raises(RunHistoryError, match=r"more than one head.*`history` and `schedules`") as raised:
        migrate_all(settings)
    assert str(home.absolute()) in str(raised.value)
    for folder in ("history", "schedules"):
        (home / folder).rename(home / f"{folder}.broken")
    migrate_all(settings)


def test_the_history_of_an_older_dagster_is_upgraded(settings: Settings) -> None:
    with dagster_instance(settings):
        pass
    with closing(sqlite3.connect(settings.state_path / "dagster" / "history" / "runs.db")) as connection:
        (newest,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        with connection:
            connection.execute("UPDATE alembic_version SET version_num = '5771160a95ad'")
        migrate_all(settings)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]


@pytest.mark.parametrize(
    "command", ["sync", *(pytest.param(name, marks=pytest.mark.slow) for name in ("worker", "migrate"))]
)
def test_every_command_names_a_broken_history(tmp_path: Path, command: str) -> None:
    (tmp_path / "headrace.yaml").write_text("connections: [{id: acme, source: github, token: t}]\n")
    with dagster_instance(Settings(directory=tmp_path)):
        pass
    break_history(tmp_path / ".headrace" / "dagster")
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("headrace")), command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert "cannot be opened" in ended.stderr


@dg.op
def say() -> None: ...


@dg.job
def one_step() -> None:
    say()


def use_server(database: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the history in this database, by the dagster.yaml of infra/."""
    address = make_url(database)
    names = {
        "HOST": address.host,
        "PORT": address.port,
        "USER": address.username,
        "PASSWORD": address.password or "none",
    }
    for name, value in names.items():
        monkeypatch.setenv(f"POSTGRES_{name}", str(value))
    monkeypatch.setenv("DAGSTER_POSTGRES_DB", str(address.database))
    monkeypatch.setenv("DAGSTER_FILES", str(home / "files"))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (home / "dagster.yaml").write_text((ROOT / "infra" / "dagster.yaml").read_text())


def test_a_run_is_kept_in_postgresql_beside_a_catalog(
    settings: Settings, postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the settings of infra/, on a server: whichever of both comes first."""
    use_server(postgres_database, tmp_path, monkeypatch)
    with dagster_instance(settings) as instance:
        assert one_step.execute_in_process(instance=instance).success
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert len(instance.all_logs(run.run_id)) > 5


@pytest.mark.slow
def test_a_server_that_is_away_is_waited_for(
    settings: Settings,
    postgres_database: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use_server(postgres_database, tmp_path, monkeypatch)
    postgres_server.stop()
    try:
        with pytest.raises(RunHistoryError, match="Connection refused"), dagster_instance(settings, patience=0):
            pass
        opened = threading.Event()
        waiting = threading.Thread(target=lambda: open_history(settings, opened))
        waiting.start()
        wait_for(lambda: "waiting: the database of Dagster's history" in caplog.text, {})
        assert not opened.is_set()
    finally:
        postgres_server.start()
    waiting.join(60)
    assert opened.is_set()


def open_history(settings: Settings, opened: threading.Event) -> None:
    with dagster_instance(settings):
        opened.set()
