"""Purging: nothing is left of what was purged, everything of the rest, and a kill at any moment does no harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Membership
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.errors import UnitBusy, UsageError
from pipelines.index.contract import Filters
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.purge import Purged, find_scope, purge
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

ACME = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
OTHER = ACME.model_copy(update={"id": "other"})
GATES, TURBINES = Unit("gates", "Gates"), Unit("turbines", "Turbines")
SECRET = "penstock"


def source_of(connection: str, unit: Unit) -> MemorySource:
    memory = MemorySource()
    for number in range(3):
        key = f"github:{connection}/{unit.id}/{number}"
        content = f"The {SECRET} of {connection} {unit.id} {number}."
        memory.put(document(id=key, connection=connection, unit=unit.id, content=content, title=f"{key} {SECRET}"))
    return memory


def sync(services: Services, connection: GitHubConnection, unit: Unit, source: MemorySource | None = None) -> None:
    services.catalog.units.replace_listing(connection.id, "github", [GATES, TURBINES])
    report = sync_unit(services, connection, source or source_of(connection.id, unit), unit)
    assert report.errors == {}


@contextmanager
def open_services(directory: Path) -> Iterator[Services]:
    with Services(Settings(directory=directory, connections=(ACME, OTHER)), FakeEmbedder()) as opened:
        yield opened


@pytest.fixture(scope="module")
def filled(module_folder: Callable[[str], Path]) -> Path:
    """A folder with two units of each connection, published."""
    folder = module_folder("filled")
    with open_services(folder) as opened:
        for connection in (ACME, OTHER):
            for unit in (GATES, TURBINES):
                sync(opened, connection, unit)
            opened.catalog.memberships.replace(connection.id, [Membership("g", "ada@example.com")])
            event = Event("d1", "issues", (Invalidation("document", "", f"github:{connection.id}/gates/1"),))
            opened.catalog.events.store(connection.id, event, SECRET.encode())
            opened.catalog.events.store(connection.id, Event("d2", "push", (Invalidation("unit", "turbines"),)), b"{}")
        publish(opened)
    return folder


@pytest.fixture
def services(filled: Path, tmp_path: Path) -> Iterator[Services]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True, copy_function=copy_data)
    with open_services(tmp_path) as opened:
        yield opened


def found(services: Services) -> set[str]:
    hits = services.reader.search(mode="lexical", text=SECRET, dense=None, filters=Filters(readers=None), limit=50)
    return {hit.payload["connection"] + "/" + hit.payload["unit"] for hit in hits}


def landed(services: Services) -> set[str]:
    """Connections and units of which text is landed, as documents or as chunks."""
    files = services.landing.files
    rows = [row for path in files.list("") if path.endswith(".parquet") for row in files.rows(path)]
    payloads: list[Mapping[str, Any]] = [json.loads(row["payload"]) if "payload" in row else row for row in rows]
    return {f"{one['connection']}/{one['unit']}" for one in payloads if one.get("connection")}


ALL = {"acme/gates", "acme/turbines", "other/gates", "other/turbines"}


def test_a_unit_leaves_everything_and_the_others_stay(services: Services) -> None:
    assert found(services) == landed(services) == ALL
    purged = purge(services, find_scope(services, "acme/Gates"))
    assert purged == Purged(points=3, landed_files=1, landed_rows=3, documents=3, units=1, vectors=3, events=1)
    assert found(services) == landed(services) == ALL - {"acme/gates"}
    assert services.catalog.documents.totals().keys() == {tuple(one.split("/")) for one in ALL - {"acme/gates"}}
    assert [state.unit.id for state in services.catalog.units.all("acme")] == ["turbines"]
    assert services.catalog.revocations.count() == {}
    assert services.catalog.groups_of("ada@example.com") == {"group:acme:g", "group:other:g"}


def test_a_unit_is_named_by_its_id_or_else_by_a_name_that_no_other_has(services: Services) -> None:
    twins = [GATES, TURBINES, Unit("third", "Turbines"), Unit("fourth", GATES.id)]
    services.catalog.units.replace_listing(ACME.id, "github", twins)
    assert [find_scope(services, f"acme/{name}").units for name in ("gates", "Gates")] == [(GATES.id,), (GATES.id,)]
    with pytest.raises(UsageError, match=r"several units .*'Turbines'.*: acme/third, acme/turbines"):
        find_scope(services, "acme/Turbines")


def test_a_connection_leaves_everything_though_the_settings_no_longer_name_it(services: Services) -> None:
    services.settings = services.settings.model_copy(update={"connections": (OTHER,)})
    purged = purge(services, find_scope(services, "acme"))
    assert replace(purged, landed_files=0) == Purged(
        points=6, landed_rows=6, documents=6, units=2, vectors=6, events=2, memberships=1
    )
    assert found(services) == landed(services) == {"other/gates", "other/turbines"}
    with pytest.raises(UsageError, match="nothing is known of a connection 'acme'"):
        find_scope(services, "acme")
    with pytest.raises(UsageError, match="nothing is known of a unit 'nowhere'"):
        find_scope(services, "other/nowhere")


def test_no_text_of_it_stays_in_the_catalogs_files(services: Services, tmp_path: Path) -> None:
    for name in ("acme", "other"):
        purge(services, find_scope(services, name))
    files = list((tmp_path / ".headrace").glob("catalog.db*"))
    assert files
    assert [file.name for file in files if SECRET.encode() in file.read_bytes()] == []


def test_what_is_revoked_is_told_without_a_text(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="pipelines.catalog.revocations"):
        services.catalog.rights.hide("acme", "gates", ["github:acme/gates/1", "github:acme/gates/2"], "out of reach")
    log = [one.getMessage() for one in caplog.records if one.name == "pipelines.catalog.revocations"]
    assert log == ["acme/gates: 2 rights revoked: out of reach"]


def test_what_the_settings_still_name_is_read_anew_and_paid_anew(services: Services) -> None:
    purge(services, find_scope(services, "acme/gates"))
    services.catalog.units.replace_listing("acme", "github", [GATES, TURBINES])
    report = sync_unit(services, ACME, source_of("acme", GATES), GATES)
    publish(services)
    assert (report.documents.new, report.embedding.inputs) == (3, 3)
    assert found(services) == ALL
    assert services.catalog.revocations.count() == {}


def test_while_another_process_works_on_a_unit_nothing_is_purged(services: Services) -> None:
    with services.catalog.leases.hold("acme", "turbines"), pytest.raises(UnitBusy, match="acme/turbines"):
        purge(services, find_scope(services, "acme"))
    assert found(services) == ALL
    assert purge(services, find_scope(services, "acme")).documents == 6, "no lease was left behind"


class Killed(BaseException):
    pass


def kill(*_: object, **__: object) -> None:
    raise Killed


STEPS: list[Callable[[Services], tuple[object, str]]] = [
    lambda services: (services.catalog.rights, "remove_unit"),
    lambda services: (services.catalog.purging, "record_points_removed"),
    lambda services: (services.catalog.purging, "delete_events"),
    lambda services: (services.catalog.embeddings, "remove"),
    lambda services: (services.landing.files, "count_rows"),
    lambda services: (services.landing, "remove_leftovers"),
    lambda services: (services.catalog.purging, "forget"),
]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_hidden_and_completes(
    services: Services, step: Callable[[Services], tuple[object, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = find_scope(services, "acme/gates")
    with monkeypatch.context() as killed:
        killed.setattr(*step(services), kill)
        with pytest.raises(Killed):
            purge(services, scope)
    assert found(services) == ALL - {"acme/gates"}
    # A sync in between lists the unit: that alone shows nothing of what is still published.
    services.catalog.units.replace_listing("acme", "github", [GATES, TURBINES])
    assert found(services) == ALL - {"acme/gates"}
    purge(services, find_scope(services, "acme/gates"))
    assert found(services) == landed(services) == ALL - {"acme/gates"}
    assert services.catalog.purging.count_documents("acme", ["gates"]) == 0
    assert services.catalog.revocations.count() == {}


def test_a_shut_gate_keeps_what_hides_it(services: Services, tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text('{"query": "penstock", "expected": ["github:acme/gates/0"]}\n')
    golden = {"file": tmp_path / "golden.jsonl", "recall_at_10": 1.0}
    settings = Settings.model_validate(dict(services.settings) | {"golden": golden})
    services.catalog.gates.shut("knowledge", ["shut"], "a version")
    with Services(settings, FakeEmbedder()) as gated:
        purged = purge(gated, find_scope(gated, "acme/gates"))
        assert purged.held
        assert (purged.points, purged.documents) == (3, 0)
        assert landed(gated) == ALL - {"acme/gates"}
        gated.catalog.units.replace_listing("acme", "github", [GATES, TURBINES])
        assert found(gated) == ALL - {"acme/gates"}
    purge(services, find_scope(services, "acme/gates"))


def test_files_that_a_killed_process_left_go_with_their_unit(services: Services) -> None:
    rows = [document(9, id="github:acme/gates/9", unit="gates")], [document(9, id="github:acme/t/9", unit="turbines")]
    gates, turbines = (services.landing.write_documents("github", "acme", "gates", one) for one in rows)
    purge(services, find_scope(services, "acme/gates"))
    assert not services.landing.files.exists(gates)
    assert services.landing.files.exists(turbines)
    purge(services, find_scope(services, "acme"))
    assert list(services.landing.data_files("acme")) == []
