"""What `headrace check` says of the index."""

from __future__ import annotations

from pipelines.index.contract import IndexInfo
from pipelines.operations.connection_checks import describe_index


def test_an_index_whose_scores_tell_too_much_says_from_which_version_not() -> None:
    assert describe_index(IndexInfo("knowledge", "tiny", 2, 5, 0)) == "knowledge: 2 documents, 5 points"
    told = describe_index(IndexInfo("knowledge", "tiny", 2, 5, 0, idf_leaks=True))
    assert told.startswith(
        "knowledge: 2 documents, 5 points; with this Qdrant server, scores can tell which words stand"
    )
    assert told.endswith("use Qdrant 1.19 or newer")
    assert "\n" not in told
