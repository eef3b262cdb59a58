"""Publish: what was indexed becomes what assistants see, if it passes the checks."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.catalog.gates import ShutGate
from pipelines.evaluation.measures import Figures
from pipelines.index.contract import IndexInfo, IndexStore
from pipelines.index.versions import version_name
from pipelines.ingestion import publish_checks
from pipelines.ingestion.causes import track
from pipelines.ingestion.index_contents import read_all, read_changed
from pipelines.ingestion.publish_checks import PublishCheck, SourceFigures
from pipelines.services import Services
from pipelines.tracing import span

log = logging.getLogger(__name__)

_SERVER_LAG = timedelta(seconds=60)
"""Longer than readers remember an alias, than a replica may lag behind, and than a server keeps unflushed what it does
again, in sight of readers, after it was killed."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The outcome of the checks. `published` is False if one failed: assistants still see the version before.

    On a Qdrant server a version that is live already is written in place; there a failing
    check keeps a new version from taking its place, and only reports on the old one.
    """

    info: IndexInfo
    published: bool
    checks: tuple[PublishCheck, ...]
    sources: dict[str, SourceFigures]
    golden: Figures | None

    @property
    def reasons(self) -> list[str]:
        """Why it was not published."""
        return [f"{check.name}: {check.detail}" for check in self.checks if not check.passed]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def publish(services: Services) -> IndexInfo:
    """Publish the index as it is, and say what is in it. Raises IndexBusy and IndexMismatch.

    For small changes, many times a minute: nothing is checked, unless the last check failed. Then the index is
    checked each time until it passes.
    """
    if _gate(services):
        return check_and_publish(services).info
    with track(services.catalog, "publication"), services.store() as store:
        _publish(services, store)
        info = store.info(services.catalog.indexed_documents.count_lately())
    _record_publication(services, info)
    return info


def check_and_publish(services: Services, *, whole: bool = False) -> Publication:
    """Check what was indexed, and publish it if all checks pass. Raises IndexBusy, IndexMismatch.

    What has changed is read since the checks have passed last, and the `whole` index where that is asked for, or they
    have not: on a large one it takes minutes.
    """
    started = datetime.now(UTC)
    since = None if whole or _gate(services) else _passed_at(services)
    with track(services.catalog, "publication"), services.store() as store:
        preview = store.preview()
        found = read_changed(store, services.catalog, since) if since else read_all(store, services.catalog)
        golden, run = publish_checks.check_golden(services, services.permitted(preview))
        checks = (
            publish_checks.check_agreement(found, services.catalog),
            publish_checks.check_closed_by_default(found, preview, services.catalog),
            golden,
        )
        passed = all(check.passed for check in checks)
        if passed:
            _publish(services, store)
        publication = Publication(
            info=store.info(found.documents),
            published=passed,
            checks=checks,
            sources=publish_checks.source_figures(found.units, services),
            golden=run.total if run else None,
        )
    _record_gate(services, publication, started)
    if publication.published:
        _record_publication(services, publication.info)
        index = publication.info
        log.info("published %s: %d documents, %d points", index.collection, index.documents, index.points)
    return publication


def publish_blockers(services: Services) -> list[str]:
    """Why the index is not published at present; nothing if it is."""
    gate = _gate(services)
    return list(gate.reasons) if gate else []


def readers_lag(services: Services) -> timedelta:
    """How long readers may still see the state before a publication; the embedded index's never do."""
    return timedelta() if services.settings.index.embedded else _SERVER_LAG


def _publish(services: Services, store: IndexStore) -> None:
    """Publish, and end what the catalog has taken away and this publication carries. Holds the index's writer."""
    catalog, lag = services.catalog, readers_lag(services)
    revocations, withdrawals = catalog.revocations.carried(), catalog.withdrawals.carried()
    moved = catalog.moved_documents.carried()
    catalog.leases.refuse_stale()
    with span("publish"):
        store.publish()
    catalog.revocations.end(revocations, lag)
    catalog.withdrawals.end(withdrawals, lag)
    catalog.moved_documents.end(moved, lag)


def _record_publication(services: Services, info: IndexInfo) -> None:
    """Keep what is live where `/metrics` finds it: to count the index's documents takes too long for each scrape."""
    services.catalog.publications.record(services.settings.index.collection, info.documents, info.points)


def _passed_at(services: Services) -> datetime | None:
    """When the checks began that have passed last; None where one has not."""
    found = services.catalog.publications.check_times(services.settings.index.collection)
    passed = [moment for moment in found if moment]
    return min(passed) if passed and len(passed) == len(found) else None


def _record_gate(services: Services, publication: Publication, started: datetime) -> None:
    """Keep what the checks found, and what shuts the gate, where other processes, and people, find it."""
    gates, collection = services.catalog.gates, services.settings.index.collection
    passed = {check.name: check.passed for check in publication.checks}
    services.catalog.publications.record_checks(collection, passed, started)
    if publication.published:
        gates.open(collection)
        return
    index = publication.info
    version = version_name(services.index_spec)
    gates.shut(collection, publication.reasons, f"{version}: {index.documents} documents, {index.points} points")
    log.warning("not published, the version before stays live: %s", "; ".join(publication.reasons))


def _gate(services: Services) -> ShutGate | None:
    return services.catalog.gates.get(services.settings.index.collection)
