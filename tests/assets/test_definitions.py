"""Dagster's view: the graph, a partition, a connection's job, checks, the command line's runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from pydantic import SecretStr, ValidationError

import assets.orchestrator
import pipelines.ingestion.sync
import pipelines.services
from assets.definitions import build_definitions
from assets.instance import dagster_instance
from assets.keys import asset_key
from assets.notifications import failed_jobs
from assets.orchestrator import DagsterOrchestrator
from assets.partitions import find_units, partitions_of
from assets.retrieval import CHECKS
from assets.schedules import build_schedules
from assets.sync_steps import sync_run_config
from connectors.contract import Checkpoint, Cursor, EmptyGroup, Item, Membership, UnreadableGroup, Window
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.slack.settings import SlackConnection
from pipelines.catalog.documents import Indexed
from pipelines.errors import UsageError
from pipelines.index.contract import Filters
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.options import Target
from pipelines.ingestion.orchestrator import find_orchestrator
from pipelines.run_settings import Executor, RunSettings
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    token = SecretStr("t")
    connections = (
        GitHubConnection(id="acme", source="github", token=token),
        SlackConnection(id="acme-slack", source="slack", token=token, schedule="0 6 * * *"),
    )
    return settings.model_copy(update={"connections": connections})


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemorySource:
    memory = MemorySource()
    for number in range(3):
        memory.put(document(number))
    for module in (pipelines.ingestion.sync, assets.orchestrator):
        monkeypatch.setattr(module, "connect", lambda connection: memory)
    embedder = FakeEmbedder()
    monkeypatch.setattr(pipelines.services.Services, "embedder", property(lambda services: embedder))
    return memory


def test_the_graph_reads_from_units_to_retrieval(settings: Settings) -> None:
    """All of the graph: what Dagster shows changes with this test, or not at all."""
    graph = build_definitions(settings).resolve_asset_graph()
    shown = {}
    for key in graph.get_all_asset_keys():
        asset = graph.get(key)
        partitions = (
            asset.partitions_def.name if isinstance(asset.partitions_def, dg.DynamicPartitionsDefinition) else None
        )
        policy = asset.backfill_policy.max_partitions_per_run if asset.backfill_policy else None
        parents = sorted(parent.to_user_string() for parent in asset.parent_keys)
        shown[key.to_user_string()] = (asset.group_name, partitions, policy, bool(asset.freshness_policy), parents)
    expected: dict[str, tuple[str | None, str | None, int | None, bool, list[str]]] = {
        "retrieval": ("retrieval", None, None, False, ["acme-slack/vectors", "acme/vectors"])
    }
    for name, group in (("acme", "acme"), ("acme-slack", "acme_slack")):
        expected[f"{name}/units"] = (group, None, None, True, [])
        expected[f"{name}/memberships"] = (group, None, None, False, [])
        for stage, parent in (("documents", "units"), ("chunks", "documents"), ("vectors", "chunks")):
            expected[f"{name}/{stage}"] = (group, name, 500, False, [f"{name}/{parent}"])
    assert shown == expected
    checks = sorted((key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys)
    assert checks == sorted(
        [(f"{name}/units", "connection_in_time") for name in ("acme", "acme-slack")]
        + [(f"{name}/vectors", "every_document_accounted_for") for name in ("acme", "acme-slack")]
        + [("retrieval", name) for name in CHECKS]
    )


def test_every_connection_has_a_job_and_a_schedule(settings: Settings) -> None:
    definitions = build_definitions(settings)
    schedules = {one.name: one.cron_schedule for one in definitions.get_repository_def().schedule_defs}
    assert schedules.pop("check_freshness") == "*/30 * * * *"
    assert schedules == {
        "sync_acme": "*/15 * * * *",
        "reconcile_acme": "41 3 * * *",
        "memberships_acme": "3-59/10 * * * *",
        "sync_acme_slack": "0 6 * * *",
        "reconcile_acme_slack": "41 3 * * *",
        "memberships_acme_slack": "3-59/10 * * * *",
    }
    jobs = {job.name for job in definitions.jobs or ()} - {"events", "check_freshness"}
    assert jobs == {name for name in schedules if not name.startswith("reconcile")}


@pytest.mark.parametrize("month", ["*", "2", "2,4", "feb-mar", "13"])
@pytest.mark.parametrize("weekday", ["*", "mon", "sat#1", "L5", "mon#6"])
def test_dagster_takes_every_schedule_that_the_settings_take(month: str, weekday: str) -> None:
    taken = 0
    for day in ("*", "?", "L", "15W", "1,15W", "29", "30", "31", "30,31", "30-31", "32"):
        cron = f"5 0 {day} {month} {weekday}"
        with suppress(ValidationError):
            connection = GitHubConnection(id="acme", source="github", token=SecretStr("t"), reconcile_schedule=cron)
            assert {one.cron_schedule for one in build_schedules(connection)} >= {cron}
            taken += 1
    assert taken or month == "13" or weekday == "mon#6"


@pytest.mark.parametrize("name", ["sync_acme", "memberships_acme"])
def test_of_a_paused_connection_rights_and_memberships_are_read_on_schedule(settings: Settings, name: str) -> None:
    with Services(settings) as services:
        services.catalog.connections.pause("acme", True)
    definitions = build_definitions(settings)
    schedule = definitions.resolve_schedule_def(name)
    with (
        dagster_instance(settings) as instance,
        dg.build_schedule_context(
            instance, resources=definitions.resources, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        assert len(schedule.evaluate_tick(context).run_requests or ()) == 1


def test_a_schedule_leaves_to_others_what_is_not_its_turn(settings: Settings, source: MemorySource) -> None:
    """A run that somebody launches reads memberships, and one of the schedule leaves them to their own."""
    source.people = [EmptyGroup("team")]
    definitions, reads = build_definitions(settings), []
    source.memberships = lambda: iter(reads.append("read") or source.people)  # type: ignore[method-assign, func-returns-value]
    job = definitions.resolve_job_def("sync_acme")
    with (
        dagster_instance(settings) as instance,
        dg.build_schedule_context(
            instance, resources=definitions.resources, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        (request,) = definitions.resolve_schedule_def("sync_acme").evaluate_tick(context).run_requests or ()
    for config, expected in ((None, 1), (request.run_config, 1), (None, 2)):
        assert job.execute_in_process(run_config=config).success
        assert len(reads) == expected


def test_groups_that_cannot_be_read_are_told_by_the_memberships(settings: Settings, source: MemorySource) -> None:
    source.people = [Membership("team", "ada@example.com"), UnreadableGroup("board", "no scope")]
    result = build_definitions(settings).resolve_job_def("memberships_acme").execute_in_process()
    (made,) = result.asset_materializations_for_node("acme__memberships")
    assert (made.metadata["memberships"].value, made.metadata["unreadable groups"].value) == (1, {"board": "no scope"})


@pytest.mark.parametrize("paused", [False, True])
def test_a_reconcile_runs_on_schedule_unless_the_connection_is_paused(settings: Settings, paused: bool) -> None:
    with Services(settings) as services:
        services.catalog.connections.pause("acme", paused)
    definitions = build_definitions(settings)
    schedule = definitions.resolve_schedule_def("reconcile_acme")
    with (
        dagster_instance(settings) as instance,
        dg.build_schedule_context(
            instance, resources=definitions.resources, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        ticked = schedule.evaluate_tick(context)
    assert (ticked.skip_message is not None) is paused
    modes = [
        request.run_config["ops"]["acme"]["ops"]["acme_units"]["config"]["mode"]
        for request in ticked.run_requests or ()
    ]
    assert modes == ([] if paused else ["reconcile"])


def made_by(result: dg.ExecuteInProcessResult) -> list[tuple[str, str | None]]:
    """The assets and partitions that a run has materialised."""
    found = [event.asset_key for event in result.all_events if event.is_step_materialization and event.asset_key]
    partitions = [event.partition for event in result.all_events if event.is_step_materialization]
    return [(key.to_user_string(), partition) for key, partition in zip(found, partitions, strict=True)]


def stages(partition: str) -> list[tuple[str, str | None]]:
    return [(f"acme/{stage}", partition) for stage in ("documents", "chunks", "vectors")]


UNITS, RETRIEVAL = ("acme/units", None), ("retrieval", None)


def test_a_scheduled_sync_materialises_what_has_changed(settings: Settings, source: MemorySource) -> None:
    source.listed = [Unit("unit", "#general"), Unit("other", "#random")]
    job = build_definitions(settings).resolve_job_def("sync_acme")
    general, random = "#general (unit)", "#random (other)"
    scheduled = sync_run_config("acme", {"scheduled": True})
    with dagster_instance(settings) as instance:
        first = job.execute_in_process(instance=instance)
        assert sorted(made_by(first), key=str) == sorted([UNITS, RETRIEVAL, *stages(general), *stages(random)], key=str)
        documents = next(one for one in first.all_events if one.is_step_materialization and one.partition == general)
        assert documents.materialization.metadata["documents new"].value == 3
        assert made_by(job.execute_in_process(instance=instance, run_config=scheduled)) == [UNITS]
        read = source.read
        source.read = lambda unit, *more: read(unit, *more) if unit.id == "unit" else iter([Checkpoint({"clock": 3})])  # type: ignore[method-assign]
        source.put(document(2, content="Edited."))
        again = job.execute_in_process(instance=instance, run_config=scheduled)
        assert made_by(again) == [UNITS, *stages(general), RETRIEVAL]


class QuietSource(MemorySource):
    def is_quiet(self, cursor: Cursor, now: datetime) -> bool:
        return True


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("executor", "expected"),
    [
        ("in_process", [["acme.acme_units"]] * 2),
        (
            "multiprocess",
            [["acme.acme_units", "acme.acme_batch[0]", "acme.acme_end"], ["acme.acme_units", "acme.acme_end"]],
        ),
    ],
)
def test_where_nothing_is_due_there_is_no_batch(
    settings: Settings,
    source: MemorySource,
    monkeypatch: pytest.MonkeyPatch,
    executor: Executor,
    expected: list[list[str]],
) -> None:
    settings = settings.model_copy(update={"runs": RunSettings(executor=executor)})
    quiet = QuietSource(source.objects, source.changed, source.clock)
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: quiet)
    job = build_definitions(settings).resolve_job_def("sync_acme")
    with dagster_instance(settings) as instance:
        steps = []
        for _ in range(2):
            done = job.execute_in_process(instance=instance, run_config=sync_run_config("acme", {"scheduled": True}))
            steps.append([event.step_key for event in done.all_events if event.is_step_start])
        made = instance.get_latest_materialization_event(dg.AssetKey(["acme", "units"]))
    assert steps == expected
    assert made
    assert made.asset_materialization
    figures = {name: value.value for name, value in made.asset_materialization.metadata.items()}
    assert {name: figures[name] for name in ("units", "due", "quiet")} == {"units": 1, "due": 0, "quiet": 1}
    assert figures["embedding tokens today"] != 0, "what the first one has spent"


def test_what_was_spent_is_told_as_numbers_where_the_ui_plots_them(settings: Settings, source: MemorySource) -> None:
    """On assets without partitions: a line through different units would mean nothing."""
    job = build_definitions(settings).resolve_job_def("sync_acme")
    with dagster_instance(settings) as instance:
        assert job.execute_in_process(instance=instance).success
        (observed,) = instance.fetch_observations(asset_key("acme", "units"), limit=1).records
        (published,) = instance.fetch_materializations(dg.AssetKey("retrieval"), limit=1).records
    with Services(settings) as services:
        spent = services.catalog.spending.of("acme").today
    assert observed.asset_observation
    assert published.asset_materialization
    for told in (observed.asset_observation.metadata, published.asset_materialization.metadata):
        assert isinstance(told["embedding tokens today"], dg.IntMetadataValue)
        assert isinstance(told["embedding cost this month in USD"], dg.FloatMetadataValue)
        assert told["embedding tokens today"].value == spent.tokens > 0
        assert told["embedding cost today in USD"].value == pytest.approx(spent.tokens / 1e6)


def test_partitions_that_are_asked_for_are_all_materialised(settings: Settings, source: MemorySource) -> None:
    """One key, or the range that a backfill makes of several; a unit that fails leaves its neighbours alone."""
    source.listed = [Unit(str(number), f"#{number}") for number in range(3)]
    job = build_definitions(settings).resolve_job_def("sync_acme")
    keys = [f"#{number} ({number})" for number in range(3)]
    with dagster_instance(settings) as instance:
        assert job.execute_in_process(instance=instance).success
        one = job.execute_in_process(instance=instance, partition_key=keys[1])
        assert [made for made in made_by(one) if made[1]] == stages(keys[1])
        ends = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[2]}
        several = job.execute_in_process(instance=instance, tags=ends)
        assert [made for made in made_by(several) if made[1]] == [made for key in keys for made in stages(key)]

        read = source.read

        def fails(unit: Unit, *arguments: Any) -> Iterator[Item]:
            if unit.id == "1":
                raise Unavailable("memory", "HTTP 502")
            return read(unit, *arguments)

        source.read = fails  # type: ignore[method-assign, assignment]
        failed = job.execute_in_process(instance=instance, tags=ends, raise_on_error=False)
        assert not failed.success
        made = {partition for _, partition in made_by(failed) if partition}
        assert made == {keys[0], keys[2]}
        shown = instance.get_status_by_partition(asset_key("acme", "documents"), keys, partitions_of("acme")) or {}
        assert [shown[key] for key in keys] == [
            AssetPartitionStatus.MATERIALIZED,
            AssetPartitionStatus.FAILED,
            AssetPartitionStatus.MATERIALIZED,
        ]


def test_a_partition_whose_unit_is_gone_fails_and_the_others_are_read(settings: Settings, source: MemorySource) -> None:
    source.listed = [Unit("unit", "Unit"), Unit("other", "Other")]
    job = build_definitions(settings).resolve_job_def("sync_acme")
    with dagster_instance(settings) as instance:
        assert job.execute_in_process(instance=instance).success
        source.listed = [Unit("unit", "Unit")]
        ends = {
            "dagster/asset_partition_range_start": "Other (other)",
            "dagster/asset_partition_range_end": "Unit (unit)",
        }
        done = job.execute_in_process(instance=instance, tags=ends, raise_on_error=False)
        assert [made for made in made_by(done) if made[1]] == stages("Unit (unit)")
        assert not done.success


def test_retrieval_publishes_by_itself(settings: Settings, source: MemorySource) -> None:
    DagsterOrchestrator().sync(settings, [Target("acme")])
    job = build_definitions(settings).resolve_implicit_global_asset_job_def()
    published = job.execute_in_process(asset_selection=[dg.AssetKey("retrieval")])
    (retrieval,) = published.asset_materializations_for_node("retrieval")
    assert (retrieval.metadata["documents"].value, retrieval.metadata["points"].value) == (3, 3)
    checks = {one.check_name: one for one in published.get_asset_check_evaluations()}
    assert checks["index_agrees_with_catalog"].passed


def test_a_failing_check_keeps_the_version_before_live_and_says_why(settings: Settings, source: MemorySource) -> None:
    orchestrator = DagsterOrchestrator()
    orchestrator.sync(settings, [Target("acme")])
    source.put(document(1, content="An edited text."))
    with pipelines.services.Services(settings) as services:
        services.catalog.documents.record_indexed({document(1).id: Indexed("v", 7, ("public",))})
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey("retrieval")], instance=instance, raise_on_error=False
        )
        checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
        assert not result.success
        assert {name for name, check in checks.items() if not check.passed} == {"index_agrees_with_catalog"}
        assert "(1 points, not 7)" in str(checks["index_agrees_with_catalog"].metadata["found"].value)
        assert instance.get_latest_materialization_event(dg.AssetKey("retrieval")) is None
    report = orchestrator.sync(settings, [Target("acme")])
    assert report.errors == {}  # the sync has indexed the document anew, and so it agrees again
    with pipelines.services.Services(settings) as services:
        (hit,) = services.reader.document(document(1).id, Filters(readers=None))
        assert hit.payload["text"] == "An edited text."


def test_the_command_line_syncs_through_dagster(settings: Settings, source: MemorySource) -> None:
    orchestrator = find_orchestrator()
    stages = []
    observer = Observer(lambda done: stages.append(done.stage))
    report = orchestrator.sync(settings, [Target("acme")], observer=observer)
    assert (report.documents.new, report.errors, stages) == (3, {}, ["documents", "chunks", "vectors"])
    assert report.requests["acme"] > 0
    with dagster_instance(settings) as instance:
        assert instance.get_dynamic_partitions("acme") == ["Unit (unit)"]
        assert instance.get_materialized_partitions(dg.AssetKey(["acme", "vectors"])) == {"Unit (unit)"}
        assert instance.get_latest_materialization_event(dg.AssetKey("retrieval"))
        (run,) = instance.get_runs()
        assert (run.job_name, run.status) == ("sync_acme", dg.DagsterRunStatus.SUCCESS)


def test_a_unit_that_fails_fails_the_run_after_the_others_were_published(
    settings: Settings, source: MemorySource
) -> None:
    def break_down(page: object) -> NoReturn:
        raise Unavailable("memory", "HTTP 502")

    source.before_page = break_down
    report = DagsterOrchestrator().sync(settings, [Target("acme")])
    assert "HTTP 502" in report.errors["acme/unit"]
    with dagster_instance(settings) as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.get_latest_materialization_event(dg.AssetKey("retrieval"))
        (failed,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        told = failed.get_dagster_event().step_failure_data.user_failure_data
        assert told
        assert told.description == "acme/Unit: memory: HTTP 502"


def test_a_unit_out_of_reach_fails_one_run_and_is_told_after_that(
    settings: Settings, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is hidden already, and what is to become of it waits for an operator."""
    assert DagsterOrchestrator().sync(settings, [Target("acme")]).errors == {}
    monkeypatch.setattr(source, "units", lambda: iter(()))
    first, second = (DagsterOrchestrator().sync(settings, [Target("acme")]) for _ in range(2))
    assert (first.errors, second.errors) == (second.out_of_reach, {})
    assert "nobody sees them; `headrace reconcile acme --allow-mass-delete`" in second.out_of_reach["acme/unit"]
    with dagster_instance(settings) as instance:
        success, failure = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
        assert [run.status for run in instance.get_runs()] == [success, failure, success]


def test_a_backfill_materialises_a_partition_per_unit(settings: Settings, source: MemorySource) -> None:
    source.listed = [Unit("unit", "Unit"), Unit("other", "Other")]
    orchestrator = DagsterOrchestrator()
    for target, expected in (
        (Target("acme", ("unit",)), {"Unit (unit)"}),
        (Target("acme"), {"Unit (unit)", "Other (other)"}),
    ):
        report = orchestrator.backfill(settings, target, Window(since=document().updated_at))
        assert (report.documents.read > 0, report.errors) == (True, {})
        with dagster_instance(settings) as instance:
            assert instance.get_materialized_partitions(dg.AssetKey(["acme", "vectors"])) == expected


def test_partitions_are_called_as_their_units_and_follow_a_renaming(settings: Settings, source: MemorySource) -> None:
    orchestrator, documents = DagsterOrchestrator(), dg.AssetKey(["acme", "documents"])
    source.listed = [Unit("C1", "#general"), Unit("C2", '"a, [b]"\n\u202e...c' + "x" * 80)]
    orchestrator.sync(settings, [Target("acme")])
    with dagster_instance(settings) as instance:
        assert set(instance.get_dynamic_partitions("acme")) == {"#general (C1)", "a b c" + "x" * 55 + " (C2)"}
        source.listed = [Unit("C1", "#lounge")]
        orchestrator.sync(settings, [Target("acme")])
        assert set(instance.get_dynamic_partitions("acme")) == {"#lounge (C1)", "a b c" + "x" * 55 + " (C2)"}
        records = instance.fetch_materializations(documents, limit=9).records
        said = [one.asset_materialization for one in records if one.asset_materialization]
        renamed = [
            (one.partition, one.metadata["renamed from"].value) for one in said if "renamed from" in one.metadata
        ]
        assert renamed == [("#lounge (C1)", "#general (C1)")]
    with Services(settings) as services:
        found = find_units(services.catalog, "acme", ["#general (C1)", "#lounge (C1)", "nobody"])
    assert found == {"#general (C1)": None, "#lounge (C1)": "C1", "nobody": None}


@pytest.mark.slow
def test_a_unit_that_is_renamed_while_it_is_read_is_shown_under_one_key(
    settings: Settings, source: MemorySource
) -> None:
    """A worker lists units meanwhile: it is told of the renaming by an event."""
    source.listed = [Unit("unit", "Unit")]
    job = build_definitions(settings).resolve_job_def("sync_acme")
    with dagster_instance(settings) as instance:

        def rename(page: int) -> None:
            with Services(settings) as services:
                services.catalog.units.replace_listing("acme", "github", [Unit("unit", "Renamed")])

        source.before_page = rename
        assert job.execute_in_process(instance=instance).success
        source.before_page = lambda page: None
        source.listed = [Unit("unit", "Renamed")]
        assert job.execute_in_process(instance=instance).success
        assert instance.get_dynamic_partitions("acme") == ["Renamed (unit)"]
        for stage in ("documents", "chunks", "vectors"):
            assert instance.get_materialized_partitions(asset_key("acme", stage)) >= {"Renamed (unit)"}


def test_partitions_of_an_earlier_release_are_removed(settings: Settings, source: MemorySource) -> None:
    with dagster_instance(settings) as instance:
        instance.add_dynamic_partitions("github_units", ["acme/unit"])
    DagsterOrchestrator().migrate(settings)
    with dagster_instance(settings) as instance:
        assert instance.get_dynamic_partitions("github_units") == []


def test_an_unknown_unit_is_named(settings: Settings, source: MemorySource) -> None:
    with pytest.raises(UsageError, match="nope"):
        DagsterOrchestrator().sync(settings, [Target("acme", ("nope",))])


def evaluations(instance: dg.DagsterInstance) -> dict[str, list[bool]]:
    """What the checks on a source and on what is published have said, the newest first."""
    asset_of = {
        "connection_in_time": ["acme", "units"],
        "every_document_accounted_for": ["acme", "vectors"],
        "index_agrees_with_catalog": ["retrieval"],
        "no_document_without_readers_is_visible": ["retrieval"],
        "golden_questions": ["retrieval"],
    }
    found: dict[str, list[bool]] = {}
    for name, asset in asset_of.items():
        key = dg.AssetCheckKey(dg.AssetKey(asset), name)
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
        events = [record.event.dagster_event for record in records if record.event]
        found[name] = [event.asset_check_evaluation_data.passed for event in events if event]
    return found


def test_a_sync_evaluates_all_checks(settings: Settings, source: MemorySource) -> None:
    DagsterOrchestrator().sync(settings, [Target("acme")])
    with dagster_instance(settings) as instance:
        assert set(map(tuple, evaluations(instance).values())) == {(True,)}


def test_the_worker_tells_of_checks_what_has_changed(settings: Settings, source: MemorySource) -> None:
    DagsterOrchestrator().sync(settings, [Target("acme")])
    with find_orchestrator().reporter(settings) as reporter, Services(settings) as services:
        for _ in range(2):
            reporter.checked(services)
        services.catalog.failures.record("memberships", "acme", "", "source_unavailable", "HTTP 503")
        for _ in range(2):
            reporter.checked(services)
        services.catalog.failures.resolve("memberships", "acme")
        reporter.checked(services)
    with dagster_instance(settings) as instance:
        told = evaluations(instance)
    by_the_sync, at_first = True, True
    assert told["connection_in_time"] == [True, False, at_first, by_the_sync]
    assert told["every_document_accounted_for"] == [at_first, by_the_sync]


@pytest.mark.one_case
@pytest.mark.parametrize("cause", ["embedding", "source"])
def test_units_are_failed_at_the_stage_that_stopped_and_told_once(
    settings: Settings, source: MemorySource, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    stage = "vectors" if cause == "embedding" else "documents"
    orchestrator, asset = DagsterOrchestrator(), dg.AssetKey(["acme", stage])
    orchestrator.sync(settings, [Target("acme")])

    def fail(page: object) -> NoReturn:
        raise Unavailable("memory", "HTTP 503")

    def status() -> Any:
        shown = instance.get_status_by_partition(asset, ["Unit (unit)"], partitions_of("acme"))
        return (shown or {})["Unit (unit)"]

    with dagster_instance(settings) as instance:
        assert status() == AssetPartitionStatus.MATERIALIZED
        with monkeypatch.context() as outage:
            if cause == "embedding":
                broken = FakeEmbedder(fail_after=0)
                outage.setattr(pipelines.services.Services, "embedder", property(lambda services: broken))
            else:
                outage.setattr(source, "before_page", fail)
            source.put(document(1, content="Text that was never embedded."))
            for _ in range(2):
                assert orchestrator.sync(settings, [Target("acme")]).errors
                assert status() == AssetPartitionStatus.FAILED
        planned = instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, asset_key=asset)
        )
        assert [one.partition_key for one in planned if one.partition_key] == ["Unit (unit)"]
        assert orchestrator.sync(settings, [Target("acme")]).errors == {}
        assert status() == AssetPartitionStatus.MATERIALIZED


@pytest.mark.slow
def test_a_run_that_fails_by_what_health_tells_is_no_news_of_its_own(settings: Settings, source: MemorySource) -> None:
    def break_down(page: object) -> NoReturn:
        raise Unavailable("memory", "HTTP 502")

    source.before_page = break_down
    DagsterOrchestrator().sync(settings, [Target("acme")])
    with dagster_instance(settings) as instance:
        assert failed_jobs(instance, ["sync_acme"]) == {}
        died = instance.create_run_for_job(build_definitions(settings).resolve_job_def("sync_acme"))
        instance.report_run_failed(died, "its process has died")
        assert failed_jobs(instance, ["sync_acme", "events"]) == {
            "run/sync_acme": f"the last run of sync_acme has failed; Dagster shows why in the run {died.run_id}"
        }
