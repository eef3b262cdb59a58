"""The last asset: what was indexed becomes what assistants see, if it passes the gate's checks."""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.keys import RETRIEVAL, asset_key
from assets.metadata import publication_metadata, total_costs
from assets.resources import Runtime
from connectors.settings import Connection
from pipelines.ingestion.publish import Publication, check_and_publish

CHECKS = {
    "index_agrees_with_catalog": "The index holds exactly the points that the catalog knows of.",
    "no_document_without_readers_is_visible": "What nobody may read is found by nobody.",
    "golden_questions": "The questions of the settings' `golden` find enough of their documents.",
}


def build_retrieval(connections: Sequence[Connection]) -> dg.AssetsDefinition:
    @dg.asset(
        key=RETRIEVAL,
        deps=[asset_key(one.id, "vectors") for one in connections],
        group_name="retrieval",
        kinds={"qdrant"},
        description="The published index that assistants query. A failing check keeps the one before.",
        check_specs=[dg.AssetCheckSpec(name, asset=RETRIEVAL, description=what) for name, what in CHECKS.items()],
        # A unit may be indexed by a sync, a backfill or by hand: publish after each, unless that run did it itself.
        automation_condition=dg.AutomationCondition.any_deps_updated().since_last_handled()
        & ~dg.AutomationCondition.in_progress(),
    )
    def retrieval(runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        with runtime.services() as services:
            publication = check_and_publish(services)
            told = publication_metadata(publication, total_costs(services))
        for check in check_publication(publication):
            yield dg.AssetCheckResult(
                passed=check.passed, check_name=check.check_name, asset_key=RETRIEVAL, metadata=check.metadata
            )
        if not publication.published:
            raise dg.Failure(refusal(publication), metadata=told)
        yield dg.MaterializeResult(asset_key=RETRIEVAL, metadata=told)

    return retrieval


def refusal(publication: Publication) -> str:
    """Why an index was not published."""
    return f"not published, the version before stays live: {'; '.join(publication.reasons)}"


def check_publication(publication: Publication) -> Iterator[dg.AssetCheckEvaluation]:
    """What the gate has found."""
    for one in publication.checks:
        yield dg.AssetCheckEvaluation(
            asset_key=RETRIEVAL,
            check_name=one.name.replace(" ", "_"),
            passed=one.passed,
            metadata={"found": dg.MetadataValue.text(one.detail)},
        )
