from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import create_engine

from connectors.contract import Cursor, Membership
from connectors.model import Unit
from connectors.webhooks import Event
from pipelines.catalog import Catalog, Outcome, RightsRead, open_catalog, tables
from pipelines.catalog.documents import Indexed
from pipelines.catalog.outcomes import Readers, time_until_next
from pipelines.catalog.units import UnitWithCursor
from pipelines.errors import SettingsError
from pipelines.settings import CatalogSettings, Settings


def unit_state(catalog: Catalog) -> UnitWithCursor:
    state = catalog.units.get("acme", "a")
    assert state is not None
    return state


def commit(
    catalog: Catalog,
    *outcomes: Outcome,
    unit: str = "a",
    listing: str | None = None,
    cursor: Cursor | None = None,
    path: str = "x.parquet",
    unchanged: Sequence[str] = (),
) -> None:
    landed = any(outcome.landed for outcome in outcomes)
    catalog.commit_read(
        "acme",
        unit,
        outcomes,
        documents_path=path if landed else None,
        unchanged=unchanged,
        fingerprints={},
        listing=listing,
        cursor=cursor,
    )


def landed(key: str, version: str = "v1") -> Outcome:
    return Outcome(id=key, status="pending", title=key, version=version, landed=True)


def test_units_that_were_known_before_names_were_kept_have_theirs(tmp_path: Path) -> None:
    engine, config = create_engine(f"sqlite:///{tmp_path / 'catalog.db'}"), Config()
    config.set_main_option("script_location", "pipelines:catalog/migrations")
    insert_unit = "INSERT INTO units (connection, unit, source, name, url, paused, gone) VALUES (?, ?, ?, ?, ?, ?, ?)"
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for unit, name, url in (("a", "Acme/API", "https://x.test/Acme/API"), ("b", "", "")):
            connection.exec_driver_sql(insert_unit, ("acme", unit, "github", name, url, False, False))
    engine.dispose()
    settings = Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr("sqlite:///catalog.db")))
    with open_catalog(settings) as opened:
        found = opened.unit_names.find(["acme/api", "https://x.test/acme/api", "", "b"])
    assert {name: [unit.id for unit in units] for name, units in found.items()} == {
        "acme/api": ["a"],
        "https://x.test/acme/api": ["a"],
    }


def test_units_remember_what_is_gone_and_where_to_continue(catalog: Catalog) -> None:
    commit(catalog, cursor={"since": 1})
    catalog.units.replace_listing("acme", "github", [Unit("a", "A")])
    first, second = catalog.units.all("acme")
    assert (first.unit.id, first.gone, second.unit.id, second.gone) == ("a", False, "b", True)
    assert unit_state(catalog).cursor == {"since": 1}
    assert [one.has_cursor for one in catalog.units.all("acme")] == [True, False]
    assert catalog.units.cursors("acme", ["a", "b", "c"]) == {"a": {"since": 1}}
    catalog.units.start_listing("acme", "a", "l1")
    assert unit_state(catalog).cursor is None
    assert (unit_state(catalog).has_cursor, catalog.units.cursors("acme", ["a"])) == (False, {})


@pytest.mark.parametrize(
    "now", [Unit("a", "renamed"), Unit("a", "A", url="https://example.com/a"), Unit("a", "A", readers=("public",))]
)
def test_a_unit_that_shows_something_new_is_read_from_the_start(catalog: Catalog, now: Unit) -> None:
    commit(catalog, cursor={"since": 1})
    catalog.units.replace_listing("acme", "github", [now])
    state = unit_state(catalog)
    assert (state.cursor, state.unit) == (None, now)


@pytest.mark.parametrize("follow", [True, False])
def test_a_unit_whose_readers_are_not_told_goes_on_where_it_was(catalog: Catalog, follow: bool) -> None:
    def listed(*readers: str) -> UnitWithCursor:
        catalog.units.replace_listing("acme", "drive", [Unit("a", "A", readers=readers)], documents_follow=follow)
        return unit_state(catalog)

    listed("public")
    commit(catalog, landed("d1"), cursor={"since": 1})
    assert listed().cursor == {"since": 1}
    [row] = catalog.revocations.of_document("acme", "a", "d1")
    assert (row["document"], row["token"]) == ("", "public"), "nobody is a reader of the unit"
    assert (listed("public").cursor is None) is not follow
    assert catalog.revocations.of_document("acme", "a", "d1") == []


def test_a_document_with_readers_of_its_own_loses_a_token_by_itself(catalog: Catalog) -> None:
    units = [Unit("a", "A", readers=("group:x", "group:y")), Unit("a", "A", readers=("group:y",))]
    for unit in units[:1]:
        catalog.units.replace_listing("acme", "drive", [unit])
    own = {"d1": ("group:x",), "d2": ("group:y",), "d3": ("group:x", "group:y")}
    read_by(catalog, own)
    commit(catalog, landed("d4"))  # whose readers an earlier release did not keep
    catalog.units.replace_listing("acme", "drive", units[1:])
    scopes = catalog.revocations.load()
    assert ("acme", "a") not in scopes.units
    assert {key: set(one.tokens) for key, one in scopes.documents.items()} == {
        "d1": {"group:x"},
        "d3": {"group:x"},
        "d4": {"group:x"},
    }
    read_by(catalog, {"d1": ("group:x",), "d3": ("group:y",)})
    assert set(catalog.revocations.load().documents) == {"d3", "d4"}, "one that names it still is seen again"


def read_by(catalog: Catalog, readers: dict[str, tuple[str, ...]]) -> None:
    rights = RightsRead()
    for document, tokens in readers.items():
        rights.add(document, None, Readers(tokens), ())
    outcomes = [landed(key) for key in readers]
    catalog.commit_read(
        "acme",
        "a",
        outcomes,
        documents_path="x.parquet",
        unchanged=(),
        fingerprints={},
        rights=rights,
        listing=None,
        cursor=None,
    )


def test_connections_are_paused_and_heard_of(catalog: Catalog) -> None:
    assert catalog.connections.get("acme").paused is False
    catalog.connections.pause("acme", True)
    assert catalog.events.store("acme", Event("d1", "issues"), b"{}")
    catalog.connections.record_memberships_read("acme")
    state = catalog.connections.get("acme")
    assert (state.paused, state.last_event is None, state.memberships_at is None) == (True, False, False)
    catalog.connections.save_channels("acme", {"unit": {"id": "c"}})
    assert catalog.connections.channels("acme") == {"unit": {"id": "c"}}
    assert catalog.connections.channels("other") == {}


def test_only_the_newest_load_of_a_document_counts(catalog: Catalog) -> None:
    commit(catalog, landed("d1"), landed("d2"))
    commit(catalog, landed("d1", "v2"))
    first, second = catalog.loads.pending("acme", "a", "landed")
    assert set(catalog.documents.in_load(first.id)) == {"d2"}
    assert set(catalog.documents.in_load(second.id)) == {"d1"}


def test_a_load_passes_its_states(catalog: Catalog) -> None:
    commit(catalog, landed("d1"))
    (load,) = catalog.loads.pending("acme", "a", "landed")
    problem = Outcome(id="d1", status="failed", reason="broken", attempts=1)
    catalog.commit_chunks(load, "c.parquet", 3, [problem])
    (load,) = catalog.loads.pending("acme", "a", "chunked")
    assert (load.chunks_path, load.chunks) == ("c.parquet", 3)
    assert catalog.loads.units_with_pending() == [("acme", "a")]
    catalog.loads.mark_indexed(load)
    assert catalog.loads.units_with_pending() == []
    assert catalog.documents.states(["d1"])["d1"].status == "failed"


def test_failed_documents_come_due(catalog: Catalog) -> None:
    commit(catalog, Outcome(id="d1", status="failed", reason="boom", attempts=1))
    assert (catalog.retries.due("acme", "a"), catalog.retries.units_due("acme")) == ([], set())
    with catalog._engine.begin() as connection:
        past = datetime.now(UTC) - timedelta(minutes=1)
        connection.execute(tables.documents.update().values(next_attempt=past))
    assert (catalog.retries.due("acme", "a"), catalog.retries.units_due("acme")) == (["d1"], {"a"})
    assert catalog.retries.units_due("other") == set()
    (trouble,) = catalog.documents.troubled("acme")
    assert trouble["reason"] == "boom"


@pytest.mark.parametrize(("attempts", "expected"), [(1, ["d1"]), (8, ["d1"]), (9, [])])
def test_what_nobody_sees_is_tried_by_every_sync_at_first(catalog: Catalog, attempts: int, expected: list[str]) -> None:
    hidden = Outcome(id="d1", status="failed", reason="boom", hidden="boom", attempts=attempts)
    commit(catalog, hidden, Outcome(id="d2", status="failed", reason="boom", attempts=attempts))
    assert catalog.retries.due("acme", "a") == expected
    assert catalog.retries.units_due("acme") == ({"a"} if expected else set())
    assert catalog.retries.due_by_unit("acme") == {}


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (9, 1280), (10, 1440), (500, 1440)])
def test_retries_back_off_up_to_a_day(attempts: int, minutes: int) -> None:
    assert time_until_next(attempts) == timedelta(minutes=minutes)


def test_a_listing_tells_what_it_did_not_name(catalog: Catalog) -> None:
    commit(catalog, landed("d1"), landed("d2"), listing="l1")
    commit(catalog, listing="l2", unchanged=["d1"])
    assert catalog.documents.missing_from("acme", "a", "l2") == ["d2"]
    commit(catalog, Outcome(id="d2", status="deleted"))
    assert catalog.documents.missing_from("acme", "a", "l2") == []
    assert catalog.documents.count_live("acme", "a") == 1


def test_an_incremental_read_leaves_the_listing_alone(catalog: Catalog) -> None:
    commit(catalog, landed("d1"), listing="l1")
    commit(catalog, landed("d1", "v2"))
    assert catalog.documents.missing_from("acme", "a", "l1") == []


def test_indexed_documents_are_counted_with_their_points(catalog: Catalog) -> None:
    commit(catalog, landed("d1"), landed("d2"))
    catalog.documents.record_indexed({"d1": Indexed("v1", 4, ()), "d2": Indexed(None, 0, ())})
    assert catalog.indexed_documents.points() == {"d1": 4}
    assert catalog.documents.totals() == {("acme", "a"): {"indexed": 1, "pending": 1}}
    commit(catalog, landed("d1", "v2"))
    assert catalog.indexed_documents.points() == {"d1": 4}  # still in the index until the new version is


def test_embeddings_are_kept_by_model_dimensions_and_text(catalog: Catalog) -> None:
    vector = np.arange(3, dtype=np.float32)
    catalog.embeddings.put("m", 3, {"text": vector})
    catalog.embeddings.put("m", 3, {"text": vector + 1})
    assert np.array_equal(catalog.embeddings.get("m", 3, ["text", "other"])["text"], vector)
    assert catalog.embeddings.get("n", 3, ["text"]) == {}
    many = {str(number): vector for number in range(1_200)}
    catalog.embeddings.put("m", 3, many)
    assert len(catalog.embeddings.get("m", 3, list(many))) == 1_200


def test_memberships_are_replaced_as_a_whole(catalog: Catalog) -> None:
    catalog.memberships.replace("acme", [Membership("g1", "Ada@Example.com"), Membership("g2", "bo@example.com")])
    catalog.memberships.replace("other", [Membership("g3", "ada@example.com")])
    assert catalog.groups_of("ADA@example.com") == {"group:acme:g1", "group:other:g3"}
    catalog.memberships.replace("acme", [])
    assert catalog.groups_of("ada@example.com") == {"group:other:g3"}


def test_an_unreachable_database_is_the_users_to_fix(tmp_path: Path) -> None:
    url = SecretStr("postgresql://nobody:secret@127.0.0.1:9/nothing")
    with pytest.raises(SettingsError, match=r"catalog\.url") as raised:
        open_catalog(Settings(directory=tmp_path, catalog=CatalogSettings(url=url)))
    assert "secret" not in str(raised.value)


def test_cursors_survive_as_json(catalog: Catalog) -> None:
    cursor = {"since": "2026-01-01", "files": {"a.md": "sha"}, "pages": [1, None]}
    commit(catalog, cursor=json.loads(json.dumps(cursor)))
    assert unit_state(catalog).cursor == cursor


def test_the_longest_ids_and_urls_are_taken(catalog: Catalog) -> None:
    """A path of GitHub has up to 4,096 bytes, and its URL three characters for each."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=12_000)
    own, url = "".join(letters[:2_600]), "https://example.com/" + "".join(letters)
    commit(catalog, replace(landed(own), url=url))
    catalog.documents.record_indexed({own: Indexed("v1", 1, ())})
    catalog.rights.hide("acme", "a", [own], "out of reach")
    assert [row["id"] for row in catalog.documents.by_id_or_url(url)] == [own]
    assert catalog.indexed_documents.closed(1) == [own]
