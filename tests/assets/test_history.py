"""Old runs leave Dagster's history, and what is known of a partition stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from pydantic import SecretStr

import pipelines.ingestion.sync
import pipelines.services
from assets.definitions import build_definitions
from assets.history import prune_history
from assets.instance import dagster_instance
from assets.keys import asset_key
from assets.partitions import partitions_of
from connectors.github.settings import GitHubConnection
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")


def test_a_run_leaves_once_nothing_is_known_by_it_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource()
    source.put(document(1))
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: source)
    embedder = FakeEmbedder()
    monkeypatch.setattr(pipelines.services.Services, "embedder", property(lambda services: embedder))
    github = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
    job = build_definitions(settings.model_copy(update={"connections": (github,)})).resolve_job_def("sync_acme")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with dagster_instance(settings) as instance:
        first, quiet, last = (job.execute_in_process(instance=instance).run_id for _ in range(3))
        assert prune_history(instance, datetime.now(UTC) - timedelta(days=1)).removed == 0
        assert prune_history(instance, tomorrow, seconds=0).removed == 0
        assert prune_history(instance, tomorrow).removed == 1
        assert set(instance.get_run_ids()) == {first, last}, quiet
        assert instance.all_logs(quiet) == []
        shown = instance.get_status_by_partition(asset_key("acme", "documents"), ["Unit (unit)"], partitions_of("acme"))
        assert shown == {"Unit (unit)": AssetPartitionStatus.MATERIALIZED}
        source.put(document(1, content="Edited."))
        job.execute_in_process(instance=instance)
        prune_history(instance, tomorrow)
        assert len(instance.get_run_ids()) == 1
        assert instance.get_latest_materialization_event(dg.AssetKey("retrieval"))
