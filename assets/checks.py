"""Asset checks: every document is accounted for, and the index holds what the catalog says."""

import dagster as dg

from assets.retrieval import RETRIEVAL
from assets.runtime import Runtime
from assets.stages import asset_key
from pipelines.stages.audit import index_differences, unaccounted


def accounted_for_check(source: str) -> dg.AssetChecksDefinition:
    """Every object that was read is indexed, skipped, failed or deleted."""

    @dg.asset_check(
        asset=asset_key(source, "vectors"),
        name="every_document_accounted_for",
        description="Every object that was read is indexed, skipped, failed or deleted; none is left in between.",
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        with runtime.workspace() as workspace:
            counts = unaccounted(workspace, source)
        return dg.AssetCheckResult(
            passed=counts.pending == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"pending": counts.pending, "failed": counts.failed, "skipped": counts.skipped},
        )

    return check


@dg.asset_check(asset=RETRIEVAL, description="The index holds exactly the points that the catalog knows of.")
def index_agrees_with_catalog(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
    with runtime.workspace() as workspace:
        differences = index_differences(workspace)
    return dg.AssetCheckResult(
        passed=not differences,
        metadata={
            "documents that differ": len(differences),
            "first ones": dg.MetadataValue.json([difference.as_json() for difference in differences[:20]]),
        },
    )
