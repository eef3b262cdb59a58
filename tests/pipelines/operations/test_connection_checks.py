"""What `headrace check` says of the index and of memberships."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import update

from connectors.contract import Membership, UnreadableGroup
from connectors.github.settings import GitHubConnection
from pipelines.catalog import open_catalog, tables
from pipelines.index.contract import IndexInfo
from pipelines.operations.connection_checks import check_memberships, describe_index
from pipelines.settings import Settings


def test_an_index_whose_scores_tell_too_much_says_from_which_version_not() -> None:
    assert describe_index(IndexInfo("knowledge", "tiny", 2, 5, 0)) == "knowledge: 2 documents, 5 points"
    told = describe_index(IndexInfo("knowledge", "tiny", 2, 5, 0, idf_leaks=True))
    assert told.startswith(
        "knowledge: 2 documents, 5 points; with this Qdrant server, scores can tell which words stand"
    )
    assert told.endswith("use Qdrant 1.19 or newer")
    assert "\n" not in told


def test_memberships_are_well_until_they_are_too_old_or_a_group_cannot_be_read(settings: Settings) -> None:
    acme = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
    with open_catalog(settings) as catalog:
        never = check_memberships(catalog, acme)
        assert (never.subject, never.ok) == ("acme: memberships", True)
        assert never.detail == "not read yet; the first sync reads them"
        catalog.memberships.replace("acme", [Membership("g1", "ada@a.test")])
        catalog.connections.record_memberships_read("acme")
        well = check_memberships(catalog, acme)
        assert (well.ok, well.detail) == (True, "last read 0 minutes ago")
        catalog.memberships.replace("acme", [UnreadableGroup("g1", "scope"), UnreadableGroup("g2", "gone")])
        troubled = check_memberships(catalog, acme)
        assert (troubled.ok, troubled.detail.split("; ")) == (
            False,
            [
                "last read 0 minutes ago",
                "group:acme:g1 cannot be read (scope), last read 0 minutes ago: whoever belonged to it then still does",
                "group:acme:g2 cannot be read (gone), last read never: nobody belongs to it",
            ],
        )
        catalog.memberships.replace("acme", [])
        with catalog._engine.begin() as transaction:
            old = datetime.now(UTC) - timedelta(hours=25)
            transaction.execute(update(tables.connections).values(memberships_at=old))
        late = check_memberships(catalog, acme)
        assert (late.ok, late.detail) == (
            False,
            "last read 1500 minutes ago: too long ago, and nobody belongs to a group that was not read since",
        )
