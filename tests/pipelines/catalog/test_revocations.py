"""Revocations in the catalog: when they begin, what gives a right back, and when they end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from connectors.contract import Membership, MembershipItem, UnreadableGroup
from connectors.model import Unit
from pipelines.catalog import Catalog, Outcome, RightsRead, tables
from pipelines.catalog.documents import Indexed
from pipelines.catalog.outcomes import Readers
from pipelines.catalog.revocations import EVERYBODY
from pipelines.catalog.rights import RightsToApply

PUBLIC, ADA, BO = "public", "user:ada", "user:bo"


def read(
    catalog: Catalog,
    *readers: str,
    lost: tuple[str, ...] = (),
    read_since: datetime | None = None,
    follow_unit: bool = False,
) -> None:
    """Document d of unit u is read, with these readers."""
    rights = RightsRead(read_since or datetime.now(UTC), follow_unit)
    rights.add("d", None, Readers(readers), lost)
    outcomes = [Outcome(id="d", status="pending", version="v", landed=True)]
    catalog.commit_read(
        "acme", "u", outcomes, documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None,
        rights=rights,
    )  # fmt: skip


def index(catalog: Catalog, *readers: str) -> None:
    catalog.documents.record_indexed({"d": Indexed("v", 1, readers)})


def tokens(catalog: Catalog) -> set[str]:
    """What is taken away from the document at present."""
    scope = catalog.revocations.load().documents.get("d")
    return set(scope.tokens) if scope else set()


def publish(catalog: Catalog, after: timedelta = timedelta()) -> None:
    catalog.revocations.end(catalog.revocations.carried(), after)


def listed(catalog: Catalog, *units: Unit, follow: bool = True) -> None:
    catalog.units.replace_listing("acme", "github", units, documents_follow=follow)


def unit(*readers: str) -> Unit:
    return Unit("u", "Unit", readers=readers)


def unit_tokens(catalog: Catalog) -> set[str]:
    scope = catalog.revocations.load().units.get(("acme", "u"))
    return set(scope.tokens) if scope else set()


def test_a_right_that_is_lost_counts_until_what_is_published_carries_it(catalog: Catalog) -> None:
    read(catalog, ADA, BO)
    index(catalog, ADA, BO)
    read(catalog, ADA, lost=(BO,))
    assert tokens(catalog) == {BO}
    publish(catalog)
    assert tokens(catalog) == {BO}
    catalog.rights.record_applied(RightsToApply((), {(ADA,): ["d"]}, 1))
    assert tokens(catalog) == {BO}
    publish(catalog)
    assert tokens(catalog) == set()


def test_on_a_server_it_counts_some_time_longer(catalog: Catalog) -> None:
    read(catalog, ADA, lost=(BO,))
    index(catalog, ADA)
    publish(catalog, timedelta(seconds=0.05))
    assert tokens(catalog) == {BO}
    time.sleep(0.06)
    publish(catalog, timedelta(seconds=0.05))
    assert tokens(catalog) == set()


def test_what_may_be_written_counts_as_written(catalog: Catalog) -> None:
    """A process that is killed after it wrote points, and before it recorded them."""
    read(catalog, ADA)
    index(catalog, ADA)
    catalog.rights.record_intended({"d": (ADA, BO)})
    read(catalog, ADA, lost=(BO,))
    publish(catalog)
    assert tokens(catalog) == {BO}


def test_a_reindex_does_not_forget_what_the_version_before_shows(catalog: Catalog) -> None:
    read(catalog, ADA, BO)
    index(catalog, ADA, BO)
    read(catalog, ADA, lost=(BO,))
    catalog.start_reindex()
    publish(catalog)
    assert tokens(catalog) == {BO}


@pytest.mark.parametrize(("later", "left"), [(True, set()), (False, {BO})])
def test_only_what_is_read_afterwards_gives_a_right_back(catalog: Catalog, later: bool, left: set[str]) -> None:
    index_read = datetime.now(UTC)
    read(catalog, ADA, BO)
    index(catalog, ADA, BO)
    catalog.rights.revoke("acme", "u", {"d": (BO,)})
    read(catalog, ADA, BO, read_since=datetime.now(UTC) if later else index_read)
    assert tokens(catalog) == left


def test_a_document_that_was_deleted_is_back_when_it_is_read(catalog: Catalog) -> None:
    catalog.rights.revoke("acme", "u", {"d": (EVERYBODY,)})
    assert catalog.revocations.load().documents["d"].hidden
    read(catalog, ADA)
    assert tokens(catalog) == set()


def test_a_deletion_ends_when_no_points_are_left(catalog: Catalog) -> None:
    read(catalog, ADA)
    index(catalog, ADA)
    catalog.rights.revoke("acme", "u", {"d": (EVERYBODY,)})
    publish(catalog)
    assert tokens(catalog) == {EVERYBODY}
    catalog.rights.record_applied(RightsToApply(["d"], {}, 0))
    publish(catalog)
    assert tokens(catalog) == set()


def test_one_that_is_written_again_meanwhile_stays(catalog: Catalog) -> None:
    read(catalog, ADA, lost=(BO,))
    index(catalog, ADA)
    carried = catalog.revocations.carried()
    catalog.rights.revoke("acme", "u", {"d": (BO,)})
    catalog.revocations.end(carried)
    assert tokens(catalog) == {BO}


def test_a_unit_that_loses_readers_takes_them_from_its_documents(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC))
    read(catalog, PUBLIC)
    index(catalog, PUBLIC)
    listed(catalog, unit(ADA))
    assert unit_tokens(catalog) == {PUBLIC}
    assert catalog.rights.to_apply("acme", "u") == RightsToApply([], {(ADA,): ["d"]}, 1)
    publish(catalog)
    assert unit_tokens(catalog) == {PUBLIC}
    catalog.rights.record_applied(catalog.rights.to_apply("acme", "u"))
    publish(catalog)
    assert unit_tokens(catalog) == set()


@pytest.mark.parametrize("after", [(BO,), (ADA, BO), (PUBLIC,)])
def test_documents_follow_a_unit_to_new_readers_once_it_was_read(catalog: Catalog, after: tuple[str, ...]) -> None:
    listed(catalog, unit(ADA))
    read(catalog, ADA)
    index(catalog, ADA)
    listed(catalog, unit(*after))
    assert unit_tokens(catalog) == {ADA}.difference(after)
    assert not catalog.rights.to_apply("acme", "u")
    publish(catalog)
    assert unit_tokens(catalog) == {ADA}.difference(after), "the points name whom they named"
    catalog.units.let_documents_follow("acme", unit(*after))
    assert catalog.rights.to_apply("acme", "u").changed == {after: ["d"]}


def test_whom_documents_let_in_between_two_lists_is_lost_by_the_second(catalog: Catalog) -> None:
    """A repository is public for a while, which no list shows: what was read meanwhile was read as public."""
    listed(catalog, unit(ADA))
    read(catalog, PUBLIC, follow_unit=True)
    index(catalog, PUBLIC)
    assert (unit_tokens(catalog), tokens(catalog)) == (set(), set())
    listed(catalog, unit(ADA))
    assert unit_tokens(catalog) == {PUBLIC}
    assert catalog.documents.states(["d"])["d"].readers == (ADA,)
    assert catalog.rights.to_apply("acme", "u").changed == {(ADA,): ["d"]}


def test_whom_documents_let_in_is_lost_where_a_list_has_been_read_since_that(catalog: Catalog) -> None:
    listed(catalog, unit(ADA))
    began = datetime.now(UTC)
    listed(catalog, unit(ADA))
    read(catalog, PUBLIC, read_since=began, follow_unit=True)
    assert unit_tokens(catalog) == {PUBLIC}
    assert catalog.documents.states(["d"])["d"].readers == (ADA,)
    assert catalog.units.all("acme")[-1].unit.readers == (ADA,)


def test_a_unit_whose_list_tells_of_no_readers_is_told_of_none(catalog: Catalog) -> None:
    listed(catalog, unit())
    read(catalog, PUBLIC, follow_unit=True)
    listed(catalog, unit())
    assert (unit_tokens(catalog), catalog.documents.states(["d"])["d"].readers) == (set(), (PUBLIC,))


@pytest.mark.parametrize("narrower", [(ADA,), ()])
def test_fewer_readers_of_documents_are_nothing_that_a_unit_has(catalog: Catalog, narrower: tuple[str, ...]) -> None:
    listed(catalog, unit(ADA, BO))
    read(catalog, *narrower, follow_unit=True)
    assert catalog.units.all("acme")[-1].unit.readers == (ADA, BO)


WORKSPACE, CHANNEL = "group:acme:workspace", "group:acme:channel"
MEMBERS = [Membership("workspace", "ada@acme.test"), Membership("workspace", "bo@acme.test")]


def follow_members(catalog: Catalog) -> dict[tuple[str, ...], list[str]]:
    """A unit of the workspace becomes one of a channel; returns who is to be written to which points."""
    listed(catalog, unit(WORKSPACE))
    read(catalog, WORKSPACE)
    index(catalog, WORKSPACE)
    listed(catalog, unit(CHANNEL))
    catalog.units.let_documents_follow_members("acme", catalog.memberships.count_since())
    return {readers: list(ids) for readers, ids in catalog.rights.to_apply("acme", "u").changed.items()}


@pytest.mark.parametrize("member", ["ada@acme.test", "ADA@acme.test"])
def test_documents_follow_at_once_where_all_members_of_a_group_were_readers(catalog: Catalog, member: str) -> None:
    catalog.memberships.replace("acme", [*MEMBERS, Membership("channel", member)])
    assert follow_members(catalog) == {(CHANNEL,): ["d"]}
    catalog.rights.record_applied(catalog.rights.to_apply("acme", "u"))
    publish(catalog)
    assert unit_tokens(catalog) == set()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([Membership("channel", "ada@acme.test"), Membership("channel", "guest@acme.test")], id="a guest"),
        pytest.param([UnreadableGroup("channel", "no scope")], id="a group that cannot be read"),
        pytest.param([], id="a group that nobody has told of"),
    ],
)
def test_documents_wait_where_a_group_may_have_others(catalog: Catalog, found: list[MembershipItem]) -> None:
    catalog.memberships.replace("acme", [*MEMBERS, *found])
    assert follow_members(catalog) == {}
    assert unit_tokens(catalog) == {WORKSPACE}


@pytest.mark.parametrize("unread", ["channel", "workspace"])
def test_a_group_that_could_not_be_read_of_late_tells_of_no_members(catalog: Catalog, unread: str) -> None:
    """Of the channel there may be others by now; and in the workspace, which was read too long ago, is nobody."""
    known = [*MEMBERS, Membership("channel", "ada@acme.test")]
    catalog.memberships.replace("acme", known)
    others = [one for one in known if one.group != unread]
    catalog.memberships.replace("acme", [*others, UnreadableGroup(unread, "no scope")])
    if unread == "workspace":
        long_ago = update(tables.groups).where(tables.groups.c.group == WORKSPACE)
        with catalog._engine.begin() as transaction:
            transaction.execute(long_ago.values(read_at=datetime.now(UTC) - timedelta(days=30)))
    assert follow_members(catalog) == {}


def test_whom_a_unit_has_lost_since_its_read_began_is_not_let_in(catalog: Catalog) -> None:
    listed(catalog, unit(ADA))
    read(catalog, ADA)
    listed(catalog, unit(ADA, BO))
    listed(catalog, unit(ADA))
    catalog.units.let_documents_follow("acme", unit(ADA, BO))
    assert catalog.documents.states(["d"])["d"].readers == (ADA,)


def test_an_older_listing_says_nothing_of_what_a_later_one_has_told(catalog: Catalog) -> None:
    """A slow sync lists units, and an event has one of them made private, followed and published before it writes."""
    listed(catalog, unit(PUBLIC), Unit("lost", "Lost"))
    read(catalog, PUBLIC)
    index(catalog, PUBLIC)
    began = datetime.now(UTC)
    listed(catalog, unit(ADA))
    catalog.rights.record_applied(catalog.rights.to_apply("acme", "u"))
    publish(catalog)
    older = [unit(PUBLIC), Unit("lost", "Lost")]
    catalog.units.replace_listing("acme", "github", older, documents_follow=True, listed_since=began)
    catalog.units.replace_listing("acme", "github", [], documents_follow=True, listed_since=began)
    states = {one.unit.id: (one.unit.readers, one.gone) for one in catalog.units.all("acme")}
    assert (states["lost"], states["u"]) == (((), True), ((ADA,), False))
    catalog.units.let_documents_follow("acme", unit(PUBLIC))
    assert catalog.documents.states(["d"])["d"].readers == (ADA,)
    listed(catalog, unit(PUBLIC))
    assert catalog.units.all("acme")[-1].unit.readers == (PUBLIC,)


def test_where_documents_have_readers_of_their_own_they_are_read_anew(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC), follow=False)
    read(catalog, PUBLIC, BO)
    listed(catalog, unit(ADA), follow=False)
    state = catalog.documents.states(["d"])["d"]
    assert set(state.readers or ()) == {PUBLIC, BO}
    assert (tokens(catalog), unit_tokens(catalog)) == ({PUBLIC}, set())


def test_a_unit_is_given_back_what_it_is_listed_with(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC, ADA))
    listed(catalog, unit(BO))
    assert unit_tokens(catalog) == {PUBLIC, ADA}
    listed(catalog, unit(BO, PUBLIC))
    assert unit_tokens(catalog) == {ADA}


def test_a_listing_that_began_before_gives_nothing_back(catalog: Catalog) -> None:
    """Two processes list at the same time, and the one that saw the state before is stored last."""
    listed(catalog, unit(PUBLIC))
    read(catalog, PUBLIC)
    index(catalog, PUBLIC)
    before = datetime.now(UTC)
    listed(catalog, unit(ADA))
    catalog.units.replace_listing("acme", "github", [unit(PUBLIC)], documents_follow=True, listed_since=before)
    assert PUBLIC in unit_tokens(catalog)
    listed(catalog, unit(ADA))
    catalog.rights.record_applied(catalog.rights.to_apply("acme", "u"))
    publish(catalog)
    assert unit_tokens(catalog) == set()


def test_a_unit_out_of_reach_is_hidden_until_it_is_listed_again(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC))
    read(catalog, PUBLIC)
    index(catalog, PUBLIC)
    listed(catalog)
    assert catalog.revocations.load().units["acme", "u"].hidden
    assert catalog.rights.to_apply("acme", "u").changed == {(): ["d"]}
    catalog.rights.record_applied(catalog.rights.to_apply("acme", "u"))
    publish(catalog)
    assert catalog.revocations.load().units["acme", "u"].hidden
    listed(catalog, unit(PUBLIC))
    assert unit_tokens(catalog) == set()
    assert catalog.rights.to_apply("acme", "u").changed == {(PUBLIC,): ["d"]}


def test_what_is_missing_is_hidden_and_comes_back_when_it_is_listed(catalog: Catalog) -> None:
    read(catalog, ADA)
    index(catalog, ADA)
    catalog.rights.hide("acme", "u", ["d"], "missing")
    assert tokens(catalog) == {EVERYBODY}
    assert catalog.rights.to_apply("acme", "u").changed == {(): ["d"]}
    catalog.documents.mark_listed(["d"], "l2", datetime.now(UTC))
    assert tokens(catalog) == set()
    assert not catalog.rights.to_apply("acme", "u")


def test_being_listed_does_not_tell_who_may_read(catalog: Catalog) -> None:
    read(catalog, ADA)
    index(catalog, ADA)
    rights = RightsRead()
    rights.add("d", None, None, (EVERYBODY,))
    failed = [Outcome(id="d", status="failed", reason="no permissions", hidden="no permissions")]
    catalog.commit_read(
        "acme", "u", failed, documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None,
        rights=rights,
    )  # fmt: skip
    catalog.documents.mark_listed(["d"], "l2", datetime.now(UTC))
    assert tokens(catalog) == {EVERYBODY}
    read(catalog, ADA)
    assert (tokens(catalog), catalog.documents.states(["d"])["d"].hidden) == (set(), None)


def test_a_permission_ends_by_itself(catalog: Catalog) -> None:
    ends = {ADA: datetime.now(UTC).timestamp() - 1, BO: datetime.now(UTC).timestamp() + 1_000}
    before, rights = catalog.revocations.stamp(), RightsRead()
    rights.add("d", None, Readers((ADA, BO), ends), ())
    outcomes = [Outcome(id="d", status="pending", version="v", landed=True)]
    catalog.commit_read(
        "acme", "u", outcomes, documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None,
        rights=rights,
    )  # fmt: skip
    assert catalog.revocations.load().ends == {"d": ends}
    assert catalog.revocations.stamp() == before + 1
    catalog.rights.expire("acme", "u")
    assert (tokens(catalog), catalog.revocations.load().ends) == ({ADA}, {"d": {BO: ends[BO]}})
    assert catalog.documents.states(["d"])["d"].readers == (BO,)


def test_every_change_raises_the_stamp_and_nothing_else_does(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC))
    stamps = [catalog.revocations.stamp()]

    def stamped() -> bool:
        stamps.append(catalog.revocations.stamp())
        return stamps[-1] > stamps[-2]

    read(catalog, PUBLIC)
    index(catalog, PUBLIC)
    assert not stamped()
    listed(catalog, unit(ADA))
    assert stamped()
    listed(catalog, unit(ADA))
    assert not stamped()
    read(catalog, lost=(ADA,))
    assert stamped()
    catalog.rights.record_applied(RightsToApply((), {(): ["d"]}, 1))
    assert not stamped()
    publish(catalog)
    assert stamped()


def test_only_names_that_the_patterns_of_now_may_leave_out_are_loaded(catalog: Catalog) -> None:
    listed(catalog, unit(PUBLIC))
    catalog.connections.record_listing("acme", "all")
    assert dict(catalog.revocations.load({"acme": "all"}).names) == {}
    names = {("acme", "u"): "Unit", ("acme", "a"): "A", ("acme", "b"): "B"}
    assert catalog.revocations.load({"acme": "some"}).names == names
    assert catalog.revocations.load({"other": "all"}).names == names
