"""A small company, from its source APIs to the index, through edits, deletions and kills."""

from __future__ import annotations

import copy
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipelines.index.contract import Payload
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, company_settings
from tests.emulators.company import bundled_records, free_port, served
from tests.emulators.embeddings import EmbeddingsServer

KILLS = 10
SENTENCE = "Runbooks, the v2 rollout, and the current sprint."


def expected_documents(records: list[dict[str, Any]]) -> Counter[str]:
    """What the corpus holds, as documents: threads, days with messages outside threads, pages, files, issues."""
    counts: Counter[str] = Counter()
    days = set()
    for record in records:
        if record["source_type"] == "slack":
            if record.get("replies"):
                counts["slack"] += 1
            else:
                days.add((record["channel"], record["created"][:10]))
        elif record["source_type"] == "github":
            counts["github"] += record["subtype"] != "repo"
        elif record["source_type"] == "google_drive":
            counts["drive"] += record["subtype"] != "folder" and not record.get("trashed")
        else:
            counts["notion"] += 1
    return counts + Counter(slack=len(days))


def totals(status: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        connection["source"]: {name: count for name, count in connection["totals"].items() if count}
        for connection in status["connections"]
    }


def points(folder: Folder) -> dict[str, Payload]:
    """All points with what they say. Where a document has been read again, only the text must be the same."""
    with Services(load_settings(folder.path / "headrace.yaml")) as services, services.store() as store:
        return dict(store.scan())


@pytest.mark.slow
def test_a_company_is_indexed_and_kept_up_to_date(folder: Folder, embeddings: EmbeddingsServer, tmp_path: Path) -> None:
    records, port = bundled_records(), free_port()
    with served(records, tmp_path / "first", port) as url:
        folder.settings(**company_settings(url, embeddings))
        first = folder.headrace("sync", "--json")
        assert (first.code, first.json["errors"]) == (0, {})
        status = folder.headrace("status", "--json").json
        found = totals(status)
        assert {source: sum(counts.values()) for source, counts in found.items()} == expected_documents(records)
        assert all(set(counts) == {"indexed"} for counts in found.values())
        assert status["index"]["points"] == first.json["chunks"]["new"] == first.json["embedding"]["inputs"]

        second = folder.headrace("sync", "--json").json
        assert (second["embedding"]["requests"], second["chunks"]["new"], second["chunks"]["removed"]) == (0, 0, 0)
        assert sum(second["requests"].values()) < sum(first.json["requests"].values()) / 2

    edited = copy.deepcopy(records)
    page = next(record for record in edited if SENTENCE in record.get("content", ""))
    page["content"] = page["content"].replace(SENTENCE, "Runbooks, the v3 rollout, and the next sprint.")
    page["updated"] = "2026-03-30T09:00:00Z"
    with served(edited, tmp_path / "second", port):
        third = folder.headrace("sync", "--json").json
        assert (third["documents"]["changed"], third["documents"]["new"]) == (1, 0)
        assert (third["embedding"]["inputs"], third["chunks"]["removed"]) == (1, 1)
        assert (
            folder.headrace("search", "v3", "--mode", "lexical", "--json").json["results"][0]["title"] == page["title"]
        )

    left = [record for record in edited if record.get("doc_id") != "hello-drive-1"]
    with served(left, tmp_path / "third", port):
        fourth = folder.headrace("sync", "--full", "--json").json
        assert (fourth["documents"]["deleted"], fourth["embedding"]["requests"]) == (1, 0)
    assert "Engineering Onboarding Guide" not in {payload["title"] for payload in points(folder).values()}
    assert folder.headrace("status", "--json").json["index"]["points"] == status["index"]["points"] - 1


@pytest.mark.slow
def test_killed_at_any_moment_a_sync_ends_at_the_same_points(
    folder: Folder, embeddings: EmbeddingsServer, tmp_path: Path
) -> None:
    chance = random.Random(KILLS)
    with ExitStack() as stack:
        url = stack.enter_context(served(bundled_records(), tmp_path / "sources", free_port()))
        folder.settings(**company_settings(url, embeddings))
        started = time.monotonic()
        assert folder.headrace("sync", "--json").code == 0
        seconds = time.monotonic() - started
        undisturbed, inputs = points(folder), embeddings.counters()["inputs"]
        for kill in range(KILLS):
            path = tmp_path / f"killed-{kill}"
            path.mkdir()
            killed = type(folder)(path)
            killed.settings(**company_settings(url, embeddings))
            before = embeddings.counters()["inputs"]
            process = killed.started("sync", "--json")
            time.sleep(seconds * chance.uniform(0.1, 0.95))
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert killed.headrace("sync", "--json").code == 0
            assert points(killed) == undisturbed
            # What was sent and not yet answered when it died is all that may be paid for twice.
            assert embeddings.counters()["inputs"] - before <= inputs + 8
