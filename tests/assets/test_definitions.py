"""Dagster's view: the graph, a partition, a connection's job, checks, the command line's runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from pydantic import SecretStr, ValidationError

import assets.ingestion
import assets.jobs
import assets.orchestrator
import pipelines.ingestion.sync
import pipelines.services
from assets.definitions import build_definitions
from assets.instance import dagster_instance
from assets.notifications import failed_jobs
from assets.orchestrator import DagsterOrchestrator
from assets.partitions import PARTITIONS, parse_partition_key
from assets.resources import Runtime
from assets.schedules import build_schedules
from connectors.contract import EmptyGroup, Membership, UnreadableGroup, Window
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.slack.settings import SlackConnection
from pipelines.catalog.documents import Indexed
from pipelines.errors import UsageError
from pipelines.index.contract import Filters
from pipelines.ingestion.options import Target
from pipelines.ingestion.orchestrator import find_orchestrator
from pipelines.ingestion.sync import Observer
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
    for module in (pipelines.ingestion.sync, assets.ingestion, assets.jobs, assets.orchestrator):
        monkeypatch.setattr(module, "connect", lambda connection: memory)
    embedder = FakeEmbedder()
    monkeypatch.setattr(pipelines.services.Services, "embedder", property(lambda services: embedder))
    return memory


def test_the_graph_reads_from_documents_to_retrieval(settings: Settings) -> None:
    graph = build_definitions(settings).resolve_asset_graph()
    edges = {
        key.to_user_string(): sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    expected = {"retrieval": ["drive/vectors", "github/vectors", "notion/vectors", "slack/vectors"]}
    for name in ("drive", "github", "notion", "slack"):
        expected |= {f"{name}/documents": [], f"{name}/chunks": [f"{name}/documents"]}
        expected |= {f"{name}/vectors": [f"{name}/chunks"]}
    assert edges == expected


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


def test_groups_that_cannot_be_read_are_told_by_the_memberships_job(settings: Settings, source: MemorySource) -> None:
    source.people = [Membership("team", "ada@example.com"), UnreadableGroup("board", "no scope")]
    result = build_definitions(settings).resolve_job_def("memberships_acme").execute_in_process()
    (output,) = [event for event in result.all_events if event.is_successful_output]
    metadata = output.step_output_data.metadata
    assert (metadata["memberships"].value, metadata["unreadable groups"].value) == (1, {"board": "no scope"})


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
    modes = [request.run_config["ops"]["read_acme"]["config"]["mode"] for request in ticked.run_requests or ()]
    assert modes == ([] if paused else ["reconcile"])


def test_a_partition_is_materialised_stage_by_stage_and_published(settings: Settings, source: MemorySource) -> None:
    definitions = build_definitions(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("github_units", ["acme/unit"])
        job = definitions.resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey(["github", stage]) for stage in ("documents", "chunks", "vectors")]
        result = job.execute_in_process(asset_selection=keys, partition_key="acme/unit", instance=instance)
        (documents,) = result.asset_materializations_for_node("github__documents")
        assert documents.metadata["documents new"].value == 3
        (vectors,) = result.asset_materializations_for_node("github__vectors")
        assert vectors.metadata["embedding inputs"].value == 3
        published = job.execute_in_process(asset_selection=[dg.AssetKey("retrieval")], instance=instance)
        (retrieval,) = published.asset_materializations_for_node("retrieval")
        assert (retrieval.metadata["documents"].value, retrieval.metadata["points"].value) == (3, 3)
        checks = {one.check_name: one for one in published.get_asset_check_evaluations()}
        assert checks["index_agrees_with_catalog"].passed


def test_a_failing_check_keeps_the_version_before_live_and_says_why(settings: Settings, source: MemorySource) -> None:
    orchestrator = DagsterOrchestrator()
    orchestrator.sync(settings, [Target("acme")])
    source.put(document(1, content="An edited text."))
    with pipelines.services.Services(settings) as services:
        services.catalog.documents.record_indexed({document(1).id: Indexed("v", 7, ())})
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
        assert instance.get_dynamic_partitions("github_units") == ["acme/unit"]
        assert instance.get_materialized_partitions(dg.AssetKey(["github", "vectors"])) == {"acme/unit"}
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


def test_a_backfill_runs_a_partition_per_unit(settings: Settings, source: MemorySource) -> None:
    window = Window(since=document().updated_at)
    report = DagsterOrchestrator().backfill(settings, Target("acme", ("unit",)), window)
    assert (report.documents.new, report.errors) == (3, {})
    with dagster_instance(settings) as instance:
        assert {run.tags.get("dagster/partition") for run in instance.get_runs()} == {"acme/unit", None}


def _partition_requests(sensor: dg.SensorDefinition, context: dg.SensorEvaluationContext) -> Sequence[Any]:
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result.dynamic_partitions_requests or []


def test_units_in_the_catalog_become_partitions(settings: Settings, source: MemorySource) -> None:
    sensor = build_definitions(settings).resolve_sensor_def("units")
    DagsterOrchestrator().sync(settings, [Target("acme")])
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance, resources={"runtime": Runtime(settings)})
        (request,) = _partition_requests(sensor, context)
        assert (request.partitions_def_name, request.partition_keys) == ("github_units", ["acme/unit"])
        instance.add_dynamic_partitions("github_units", ["acme/unit"])
        assert _partition_requests(sensor, context) == []


@pytest.mark.parametrize("key", ["acme", "other/unit"])
def test_a_partition_of_no_connection_is_refused(settings: Settings, key: str) -> None:
    with pytest.raises(UsageError, match=key.split("/")[0]):
        parse_partition_key(settings, key)


def test_an_unknown_unit_is_named(settings: Settings, source: MemorySource) -> None:
    with pytest.raises(UsageError, match="nope"):
        DagsterOrchestrator().sync(settings, [Target("acme", ("nope",))])


def evaluations(instance: dg.DagsterInstance, source: str = "github") -> dict[str, list[bool]]:
    """What the checks on a source and on what is published have said, the newest first."""
    asset_of = {
        "connections_in_time": [source, "documents"],
        "every_document_accounted_for": [source, "vectors"],
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
    assert told["connections_in_time"] == [True, False, at_first, by_the_sync]
    assert told["every_document_accounted_for"] == [at_first, by_the_sync]


@pytest.mark.parametrize("cause", ["embedding", "source"])
def test_units_are_failed_at_the_stage_that_stopped_and_told_once(
    settings: Settings, source: MemorySource, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    stage = "vectors" if cause == "embedding" else "documents"
    orchestrator, asset = DagsterOrchestrator(), dg.AssetKey(["github", stage])
    orchestrator.sync(settings, [Target("acme")])

    def fail(page: object) -> NoReturn:
        raise Unavailable("memory", "HTTP 503")

    def status() -> Any:
        shown = instance.get_status_by_partition(asset, ["acme/unit"], PARTITIONS["github"])
        return (shown or {})["acme/unit"]

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
        assert len(planned) == 1
        assert orchestrator.sync(settings, [Target("acme")]).errors == {}
        assert status() == AssetPartitionStatus.MATERIALIZED


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
