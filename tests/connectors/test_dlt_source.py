"""A connection as a dlt source: loaded into DuckDB by anybody's pipeline, and only what changed the second time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from pydantic import SecretStr

from connectors.contract import Deleted, Failed, Item, Skipped
from connectors.dlt_source import UnitState, dlt_source, documents_resource, read_changes
from connectors.errors import AuthenticationFailed, RateLimited, SourceError, Unavailable
from connectors.model import Document, Unit
from connectors.settings import Connection
from connectors.tables import Row, document_batches, parse_document
from tests.emulators import github as github_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators.github import GitHub, Repository
from tests.emulators.memory_source import MemorySource
from tests.emulators.slack import Slack
from tests.pipelines.documents import document

CONNECTION = Connection(id="acme", source="github", token=SecretStr("unused"), base_url="http://memory")


class Warehouse:
    """A pipeline as a dlt user has it: every run is a new process, as far as dlt can tell."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def run(self, source: Any, **options: Any) -> Any:
        return self._pipeline().run(source, **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._pipeline().sql_client() as client, client.execute_query(query) as cursor:
            return list(cursor.fetchall())

    def texts(self, *patterns: str) -> list[int]:
        """How many documents have a text like each of these."""
        return [self.rows(f"select count(*) from documents where text like '{one}'")[0][0] for one in patterns]

    def last_read(self) -> int:
        """How many documents the last run loaded, tombstones aside."""
        return int(self.rows("select count(*) from acme_staging.documents where not removed")[0][0])

    def _pipeline(self) -> Any:
        destination = dlt.destinations.duckdb(str(self._directory / "warehouse.duckdb"))
        return dlt.pipeline("acme", destination=destination, dataset_name="acme", pipelines_dir=str(self._directory))


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Warehouse(tmp_path)


@pytest.fixture
def slack() -> Slack:
    slack = Slack()
    slack.person("U1", "ada")
    slack.channel("C1", "general")
    slack.members["C1"] = ["U1"]
    return slack


@pytest.fixture
def slack_settings(slack: Slack) -> Iterator[dict[str, str]]:
    with slack_emulator.serving(slack) as url:
        yield {"id": "acme-slack", "source": "slack", "token": slack_emulator.TOKEN, "base_url": url}


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def api(github: GitHub) -> Repository:
    return github.repository("acme/api")


@pytest.fixture
def github_settings(github: GitHub) -> Iterator[dict[str, str]]:
    with github_emulator.serving(github) as url:
        yield {"id": "acme-github", "source": "github", "token": github_emulator.TOKEN, "base_url": url}


def test_slack_into_duckdb(slack: Slack, slack_settings: dict[str, str], warehouse: Warehouse) -> None:
    quiet = [slack.say("C1", f"day {day}", at=slack_emulator.START - day * slack_emulator.DAY) for day in range(1, 9)]
    thread = slack.say("C1", "the gateway is down")
    slack.say("C1", "since when?", thread=thread)
    lunch = slack.say("C1", "lunch, anybody?", at=slack.clock + slack_emulator.DAY)
    source = dlt_source(slack_settings)
    assert source.name == "slack"
    warehouse.run(source)
    assert warehouse.texts("%gateway is down%since when%", "%lunch%", "%day _%") == [1, 1, len(quiet)]
    assert warehouse.rows("select id, source, connection, name from units") == [
        ("C1", "slack", "acme-slack", "general")
    ]
    readers = "select email from memberships join documents on list_contains(readers::varchar[], reader) group by email"
    assert warehouse.rows(readers) == [("ada@acme.test",)]

    slack.edit("C1", thread, "the gateway is up again")
    slack.delete("C1", lunch)
    warehouse.run(dlt_source(slack_settings))
    assert warehouse.last_read() == 1
    assert warehouse.texts("%gateway is up again%since when%", "%lunch%", "%is down%") == [1, 0, 0]
    assert warehouse.rows("select count(*), count(distinct id) from documents") == [(len(quiet) + 1,) * 2]


def test_what_a_token_may_not_list_keeps_nothing_else_out(
    slack: Slack, slack_settings: dict[str, str], warehouse: Warehouse
) -> None:
    slack.say("C1", "hello", at=slack_emulator.START)
    slack.refuse("group messages", "forbidden")
    warehouse.run(dlt_source(slack_settings))
    assert warehouse.rows("select email from memberships") == [("ada@acme.test",)]


def test_github_into_duckdb(
    github: GitHub, api: Repository, github_settings: dict[str, str], warehouse: Warehouse
) -> None:
    for number in range(30):
        github.issue(api, f"Issue {number}", "It breaks.", labels=[{"name": "bug"}])
        github.write(api, f"docs/{number}.md", f"# Page {number}")
    warehouse.run(dlt_source(github_settings))
    kinds = "select kind, count(*), typeof(any_value(updated_at)) from documents group by kind order by kind"
    time = "TIMESTAMP WITH TIME ZONE"
    assert warehouse.rows(kinds) == [("file", 30, time), ("issue", 30, time)]
    lists = (
        "select parents->>'$[0].title', list_contains(tags::varchar[], 'bug') from documents where id like '%/issues/2'"
    )
    assert warehouse.rows(lists) == [("acme/api", True)]

    github.clock += timedelta(hours=1)
    github.edit_issue(api, 2, body="It is mended.")
    github.delete_file(api, "docs/7.md")
    github.forget()
    warehouse.run(dlt_source(github_settings).with_resources("documents"))
    assert [path for path in github.log if "/blobs/" in path] == []
    assert warehouse.last_read() == 1
    assert warehouse.texts("%It is mended.%", "# Page 7", "# Page 8") == [1, 0, 1]
    assert warehouse.rows("select count(*) from documents") == [(59,)]


def test_the_later_of_two_rows_with_one_id_holds(warehouse: Warehouse) -> None:
    rows: list[Row] = [document(1, content="early"), document(2), document(3), document(1, content="late")]
    rows.append(Deleted(document(2).id))
    warehouse.run(documents_resource(lambda: document_batches(rows), write_disposition="merge"))
    assert warehouse.rows("select title, text from documents order by title") == [
        ("Issue 1", "late"),
        ("Issue 3", "Text of issue 3."),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        pa.table({"id": ["x"], "colour": ["red"]}),
        [{"id": "x", "removed": False, "sequence": "a word"}],
    ],
    ids=["a column more", "another type"],
)
def test_the_columns_are_frozen(wrong: Any, slack: Slack, slack_settings: dict[str, str], warehouse: Warehouse) -> None:
    slack.say("C1", "hello")
    warehouse.run(dlt_source(slack_settings))
    source = dlt_source(slack_settings).with_resources("documents")
    source.resources["documents"].add_map(lambda batch: wrong)
    slack.say("C1", "hello again")
    with pytest.raises(PipelineStepFailed, match="contract_mode=freeze"):
        warehouse.run(source)
    assert warehouse.rows("select text like '%again%' from documents") == [(False,)]


@pytest.mark.slow
def test_a_full_load_starts_over(
    github: GitHub, api: Repository, github_settings: dict[str, str], warehouse: Warehouse
) -> None:
    github.issue(api, "Stays")
    github.delete_issue(api, github.issue(api, "Goes"))
    gone = github.issue(api, "Goes later")
    warehouse.run(dlt_source(github_settings))
    github.delete_issue(api, gone)
    warehouse.run(dlt_source(github_settings))
    assert warehouse.rows("select title from documents order by title") == [("Goes later",), ("Stays",)]
    warehouse.run(dlt_source(github_settings), refresh="drop_sources")
    assert warehouse.rows("select title from documents") == [("Stays",)]


class SeveralUnits(MemorySource):
    """Every unit has all objects; `trouble` says what reading one raises, at its end."""

    def __init__(self, *units: str) -> None:
        super().__init__()
        self.named = [Unit(unit, unit) for unit in units]
        self.trouble: dict[str, SourceError] = {}
        self.read_units: list[str] = []
        self.fetched: list[str] = []

    def units(self) -> Iterator[Unit]:
        yield from self.named

    def read(self, unit: Unit, *arguments: Any) -> Iterator[Item]:
        self.read_units.append(unit.id)
        yield from (in_unit(item, unit.id) for item in super().read(unit, *arguments))
        if unit.id in self.trouble:
            raise self.trouble[unit.id]

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        self.fetched += document_ids
        yield from (in_unit(item, unit.id) for item in super().fetch(unit, document_ids))


def in_unit(item: Item, unit: str) -> Item:
    return replace(item, unit=unit) if isinstance(item, Document) else item


def test_a_second_read_gives_what_changed() -> None:
    source = SeveralUnits("a", "b")
    state: dict[str, UnitState] = {}
    source.put(document(1))
    assert list(read_changes(CONNECTION, source, state)) == [document(1, unit="a"), document(1, unit="b")]
    assert list(read_changes(CONNECTION, source, json.loads(json.dumps(state)))) == []
    source.put(document(2))
    assert list(read_changes(CONNECTION, source, state)) == [document(2, unit="a"), document(2, unit="b")]


def test_a_unit_that_looks_different_is_read_from_the_start() -> None:
    source = SeveralUnits("a", "b")
    state: dict[str, UnitState] = {}
    source.put(document(1))
    list(read_changes(CONNECTION, source, state))
    source.named[1] = Unit("b", "b", readers=("public",))
    assert list(read_changes(CONNECTION, source, state)) == [document(1, unit="b")]


def test_what_failed_is_read_again_until_it_is_settled() -> None:
    source = SeveralUnits("a")
    state: dict[str, UnitState] = {}
    key = document(1).id
    source.put(Failed(key, "Issue 1", "HTTP 500"))
    assert list(read_changes(CONNECTION, source, state)) == []
    assert list(read_changes(CONNECTION, source, state)) == []
    source.objects[key] = document(1)
    assert list(read_changes(CONNECTION, source, state)) == [document(1, unit="a")]
    assert list(read_changes(CONNECTION, source, state)) == []
    assert source.fetched == [key, key]


def test_what_is_skipped_now_is_removed() -> None:
    source = SeveralUnits("a")
    source.put(Skipped("github:acme/1", "Scan", "too large"))
    assert list(read_changes(CONNECTION, source, {})) == [Deleted("github:acme/1")]


def test_what_does_not_fit_is_reported_and_reaches_no_table(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    source = MemorySource()
    source.put(document(1))
    source.put(document(2, source="slack"))
    source.put(document(3, title=None))
    source.put(document(4, id="github:other/acme/api/issues/4"))
    state: dict[str, UnitState] = {}
    batches = documents_resource(
        lambda: document_batches(read_changes(CONNECTION, source, state)), write_disposition="merge"
    )
    warehouse.run(batches)
    assert warehouse.rows("select id from documents") == [(document(1).id,)]
    reasons = {
        document(2).id: "not admitted: source is 'slack', and must be 'github'",
        document(3).id: "not admitted: title is of type NoneType, and must be of type str",
    }
    assert state["unit"]["failed"] == reasons
    foreign = "the id 'github:other/acme/api/issues/4' must begin with 'github:acme/'"
    assert all(reason in caplog.text for reason in (*reasons.values(), foreign))


DOWN = Unavailable("http://memory", "HTTP 503")


@pytest.mark.parametrize(
    ("trouble", "read_units"),
    [
        ({"a": DOWN}, ["a", "b", "c", "d", "e"]),
        ({"a": DOWN, "b": DOWN, "d": DOWN}, ["a", "b", "c", "d", "e"]),
        ({"b": DOWN, "c": DOWN, "d": DOWN}, ["a", "b", "c", "d"]),
        ({"b": RateLimited("http://memory", 60)}, ["a", "b"]),
    ],
    ids=["one unit", "not in a row", "the source is down", "no more requests"],
)
def test_a_units_trouble_leaves_the_others_alone(trouble: dict[str, SourceError], read_units: list[str]) -> None:
    source = SeveralUnits("a", "b", "c", "d", "e")
    state: dict[str, UnitState] = {}
    source.trouble = trouble
    source.put(document(1))
    assert list(read_changes(CONNECTION, source, state)) == [document(1, unit=unit) for unit in read_units]
    assert source.read_units == read_units
    source.trouble = {}
    rest = ["a", "b", "c", "d", "e"][len(read_units) :]
    assert list(read_changes(CONNECTION, source, state)) == [document(1, unit=unit) for unit in rest]


def test_wrong_credentials_are_raised() -> None:
    source = SeveralUnits("a", "b")
    source.trouble = {"a": AuthenticationFailed("http://memory", "HTTP 401")}
    with pytest.raises(AuthenticationFailed):
        list(read_changes(CONNECTION, source, {}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"content": "Größe 水 \U0001f30a"}, {}),
        ({"content": ""}, {}),
        ({"content": "half \ud83d a pair"}, {"content": "half ? a pair"}),
        ({"content": b"%PDF \0\xff", "content_type": "application/pdf"}, {}),
        ({"content": b""}, {}),
        ({"author": "", "created_at": None, "updated_at": None, "readers": (), "tags": (), "parents": ()}, {}),
    ],
)
def test_rows_come_back_as_they_were(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    (batch,) = document_batches([document(1, **changes), Deleted("gone")])
    first, second = map(parse_document, batch.to_pylist())
    assert first == document(1, **(changes | expected))
    assert second == Deleted("gone")


@pytest.mark.parametrize(("content", "stored"), [("Größe", "Größe".encode()), (b"\xff", b"\xff")])
def test_rows_of_earlier_releases_are_read(content: str | bytes, stored: bytes) -> None:
    (batch,) = document_batches([document(1, content=content)])
    (row,) = batch.to_pylist()
    del row["text"], row["sequence"]
    assert parse_document(row | {"content": stored, "is_text": isinstance(content, str)}) == document(
        1, content=content
    )


def test_batches_bound_rows_and_bytes() -> None:
    small = [document(number) for number in range(401)]
    assert [batch.num_rows for batch in document_batches(small)] == [200, 200, 1]
    large = [document(number, content=b"x" * 5_000_000) for number in range(5)]
    assert [batch.num_rows for batch in document_batches(large)] == [2, 2, 1]
    rows = [row["sequence"] for batch in document_batches(small) for row in batch.to_pylist()]
    assert rows == list(range(401))
