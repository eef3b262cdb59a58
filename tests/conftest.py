"""A clean environment for every test: no settings, no credentials, no waiting between retries."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import httpx
import hypothesis
import pytest
import stamina

from pipelines.index.contract import IndexSpec
from pipelines.index.embedded.layout import create_shard
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.settings import Settings
from tests.catalog_tables import keep_catalog_tables
from tests.compiled_statements import keep_compiled_statements
from tests.covering import leave_the_rest_to_slow
from tests.emulators.postgres import PostgresServer, make_database, serve_postgres
from tests.migration_scripts import keep_migration_scripts
from tests.quick_loads import write_documents

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
    keep_migration_scripts()
    keep_compiled_statements()
    keep_catalog_tables()
    keep_authorities()


@pytest.hookimpl(tryfirst=True)  # before those with the marker are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_the_rest_to_slow(items)


def pytest_collection_finish() -> None:
    """What was imported stays until the end: no search for garbage need look at it."""
    gc.collect()
    gc.freeze()


def keep_authorities() -> None:
    """The certificates that httpx trusts are read once, and not for each request of a test: that takes 25 ms of CPU."""
    setattr(httpx._transports.default, "create_ssl_context", cache(httpx.create_ssl_context))  # noqa: B010 - no export


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


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Makes folders that are removed after the module: an index takes 180 MB, and pytest would keep them all."""
    made: list[Path] = []

    def make(name: str) -> Path:
        made.append(tmp_path_factory.mktemp(name))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shards")


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    """Whether embedded shards have all their payload indexes.

    Each is some dozen files, and all are mapped whenever a shard is opened: only tests of the index, and of what counts
    values or sorts by time, need them. Without a payload index the engine finds the same points. The one of document
    ids counts documents.
    """
    return False


@pytest.fixture(scope="module", autouse=True)
def shards_are_copied(empty_shards: Path, whole_layout: bool) -> Iterator[None]:
    """The engine takes half a second to make an empty shard, and far less to open a copy of one."""

    def copied(path: Path, spec: IndexSpec) -> None:
        template = empty_shards / f"{spec.dimensions}-{spec.window_tokens}-{whole_layout}"
        if not template.exists():
            create_shard(template, spec)
        shutil.copytree(template, path, copy_function=copy_data)

    with pytest.MonkeyPatch.context() as patched:
        if not whole_layout:
            patched.setattr("pipelines.index.embedded.layout.KEYWORD_FIELDS", ("document_id", "unit"))
            patched.setattr("pipelines.index.embedded.layout.TIME_FIELDS", ())
            patched.setattr("pipelines.index.embedded.layout.NUMBER_FIELDS", ())
        patched.setattr("pipelines.index.embedded.store.create_shard", copied)
        yield


@pytest.fixture(scope="module")
def whole_landing() -> bool:
    """Whether documents are loaded through dlt."""
    return False


@pytest.fixture(scope="module", autouse=True)
def loads_are_quick(whole_landing: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        if not whole_landing:
            patched.setattr("pipelines.landing.Landing.write_documents", write_documents)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose state lies in a folder of the test's own."""
    return Settings(directory=tmp_path)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of the tests' own, which a package brings along."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        with serve_postgres() as server:
            yield server


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """The server at `POSTGRES_URL`, or one of the tests' own."""
    if given := os.environ.get("POSTGRES_URL"):
        return given
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url


@pytest.fixture
def new_postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes empty databases, and returns their URLs."""
    return partial(make_database, postgres_url)


@pytest.fixture
def postgres_database(new_postgres_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_postgres_database()
