"""Memberships group by group: what is known of one that cannot be read stays, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from connectors.contract import EmptyGroup, GroupName, Membership, MembershipItem, UnreadableGroup
from connectors.errors import Unavailable
from pipelines.catalog import Catalog, migrate_catalog, open_catalog, tables
from pipelines.settings import Settings

ADA, BO = "ada@example.com", "bo@example.com"
BOTH = [Membership("g1", ADA), Membership("g1", BO), Membership("g2", ADA), Membership("g2", BO)]


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    with open_catalog(settings) as opened:
        opened.memberships.replace("acme", BOTH)
        opened.memberships.replace("other", [Membership("g1", ADA)])
        yield opened


def test_a_group_keeps_its_name_until_it_gets_another_or_is_gone(catalog: Catalog) -> None:
    catalog.memberships.replace("acme", [GroupName("g1", "team"), *BOTH])
    assert catalog.memberships.names() == {"group:acme:g1": "team"}
    assert catalog.memberships.replace("acme", [UnreadableGroup("g1", "no scope")]).unreadable == {"g1": "no scope"}
    assert [one.name for one in catalog.memberships.unreadable("acme")] == ["team"]
    catalog.memberships.replace("acme", [EmptyGroup("g1"), GroupName("g1", "board"), GroupName("g9", "nobody's")])
    assert catalog.memberships.names() == {"group:acme:g1": "board"}
    catalog.memberships.replace("acme", [])
    assert catalog.memberships.names() == {}


def groups(catalog: Catalog, email: str) -> set[str]:
    return {token.removeprefix("group:") for token in catalog.groups_of(email)}


def let_pass(catalog: Catalog, hours: float, group: str = "group:acme:%") -> None:
    """Groups were read so long ago."""
    table = tables.groups
    before = datetime.now(UTC) - timedelta(hours=hours)
    with catalog._engine.begin() as transaction:
        transaction.execute(update(table).where(table.c.group.like(group)).values(read_at=before))


def test_an_unreadable_group_keeps_what_was_known_and_the_others_are_brought_up_to_date(catalog: Catalog) -> None:
    read = catalog.memberships.replace("acme", [UnreadableGroup("g1", "no scope"), Membership("g2", ADA)])
    assert (read.count, read.unreadable) == (1, {"g1": "no scope"})
    assert groups(catalog, BO) == {"acme:g1"}
    assert groups(catalog, ADA) == {"acme:g1", "acme:g2", "other:g1"}


def test_an_address_of_a_source_that_looks_like_another_persons_is_nobodys(catalog: Catalog) -> None:
    members = [
        Membership("g1", "\u212aim@example.com"),
        Membership("g1", "not an address"),
        Membership("g1", " Bo@EXAMPLE.com"),
    ]
    assert catalog.memberships.replace("acme", members).count == 1
    assert (groups(catalog, "kim@example.com"), groups(catalog, "\u212aim@example.com")) == (set(), set())
    assert groups(catalog, BO) == {"acme:g1"}


def test_a_group_that_is_not_named_has_no_members(catalog: Catalog) -> None:
    catalog.memberships.replace("acme", [Membership("g2", ADA)])
    assert (groups(catalog, BO), groups(catalog, ADA)) == (set(), {"acme:g2", "other:g1"})
    assert [one.group for one in catalog.memberships.unreadable("acme")] == []


def test_what_cannot_be_read_counts_for_a_day(catalog: Catalog) -> None:
    let_pass(catalog, 23.9)
    assert groups(catalog, BO) == {"acme:g1", "acme:g2"}
    let_pass(catalog, 24.1, "group:acme:g1")
    catalog.memberships.replace("acme", [UnreadableGroup("g1", "no scope"), Membership("g2", BO)])
    assert groups(catalog, BO) == {"acme:g2"}
    (state,) = catalog.memberships.unreadable("acme")
    assert (state.group, state.reason) == ("group:acme:g1", "no scope")
    assert catalog.memberships.is_too_old(state.read_at)
    catalog.memberships.replace("acme", [Membership("g1", BO)])
    assert groups(catalog, BO) == {"acme:g1"}
    assert catalog.memberships.unreadable("acme") == []


def test_how_long_they_count_is_in_the_settings(catalog: Catalog, settings: Settings) -> None:
    let_pass(catalog, 2, "group:acme:g1")
    with open_catalog(settings.model_copy(update={"memberships_max_age": timedelta(hours=1)})) as strict:
        assert groups(strict, BO) == {"acme:g2"}


def test_groups_that_were_named_before_an_error_are_complete_and_the_others_stay(catalog: Catalog) -> None:
    def broken() -> Iterator[MembershipItem]:
        yield Membership("g1", ADA)
        raise Unavailable("https://api.test", "HTTP 500")

    let_pass(catalog, 5)
    with pytest.raises(Unavailable):
        catalog.memberships.replace("acme", broken())
    assert groups(catalog, BO) == {"acme:g2"}
    oldest = catalog.memberships.ages()["acme"].oldest_read
    assert oldest is not None
    assert datetime.now(UTC) - oldest > timedelta(hours=4)


def test_a_group_that_was_emptied_before_an_error_has_no_members(catalog: Catalog) -> None:
    def broken() -> Iterator[MembershipItem]:
        yield EmptyGroup("g1")
        raise Unavailable("https://api.test", "HTTP 500")

    with pytest.raises(Unavailable):
        catalog.memberships.replace("acme", broken())
    assert groups(catalog, BO) == {"acme:g2"}
    assert catalog.memberships.replace("acme", [EmptyGroup("g1"), EmptyGroup("g2")]).count == 0
    assert (groups(catalog, BO), catalog.memberships.ages()["acme"].unreadable) == (set(), 0)


def test_a_group_counts_from_when_its_reading_began(catalog: Catalog) -> None:
    def slowly() -> Iterator[MembershipItem]:
        yield Membership("g1", ADA)
        ended.append(datetime.now(UTC))

    ended: list[datetime] = []
    catalog.memberships.replace("acme", slowly())
    oldest = catalog.memberships.ages()["acme"].oldest_read
    assert oldest is not None
    assert oldest < ended[0]


def test_a_group_that_was_never_read_has_no_age(catalog: Catalog) -> None:
    catalog.memberships.replace("acme", [UnreadableGroup("g9", "no"), Membership("g1", ADA)])
    ages = catalog.memberships.ages()
    assert (ages["acme"].unreadable, ages["other"].unreadable) == (1, 0)
    assert ages["acme"].oldest_read is not None
    assert [(one.group, one.read_at) for one in catalog.memberships.unreadable("acme")] == [("group:acme:g9", None)]
    assert catalog.memberships.is_too_old(None)


def test_what_an_earlier_release_read_is_as_old_as_its_reading(settings: Settings, tmp_path: Path) -> None:
    read_at = datetime.now(UTC) - timedelta(hours=30)
    with open_catalog(settings) as catalog:
        catalog.connections.record_memberships_read("late")
        for name in ("late", "timely", "never"):
            catalog.memberships.replace(name, [Membership("g", BO)])
        catalog.connections.record_memberships_read("timely")
        with catalog._engine.begin() as transaction:
            late = tables.connections.c.connection == "late"
            transaction.execute(update(tables.connections).where(late).values(memberships_at=read_at))
    migrate_catalog(settings, "0005")
    with open_catalog(settings) as catalog:
        assert groups(catalog, BO) == {"timely:g"}
        assert catalog.memberships.ages()["late"].oldest_read == read_at


KEPT = {"etag": 'W/"1"', "logins": ["ada"]}


def kept(catalog: Catalog, connection: str = "acme") -> set[str]:
    cache = catalog.memberships.cache(connection)
    return {group for group in ("g1", "g2", "g3") if cache.get(group) == KEPT}


@pytest.fixture
def kept_of_each(catalog: Catalog) -> Catalog:
    for connection, group in (("acme", "g1"), ("acme", "g2"), ("other", "g1")):
        catalog.memberships.cache(connection).put(group, {"etag": "an earlier one"})
        catalog.memberships.cache(connection).put(group, KEPT)
    return catalog


def test_what_a_connector_keeps_of_its_groups_is_there_the_next_time(kept_of_each: Catalog) -> None:
    assert (kept(kept_of_each), kept(kept_of_each, "other")) == ({"g1", "g2"}, {"g1"})
    kept_of_each.memberships.replace("acme", [EmptyGroup("g1"), UnreadableGroup("g2", "no scope")])
    assert (kept(kept_of_each), kept(kept_of_each, "other")) == ({"g1", "g2"}, {"g1"})


def test_what_was_kept_of_a_group_goes_with_it(kept_of_each: Catalog) -> None:
    kept_of_each.memberships.cache("acme").put("g3", KEPT)  # by a reading that was never recorded
    kept_of_each.memberships.replace("acme", [Membership("g2", ADA)])
    assert (kept(kept_of_each), kept(kept_of_each, "other")) == ({"g2"}, {"g1"})


def test_a_reading_that_was_broken_off_takes_nothing_of_what_was_kept(kept_of_each: Catalog) -> None:
    def broken() -> Iterator[MembershipItem]:
        yield Membership("g2", ADA)
        raise Unavailable("there", "down")

    with pytest.raises(Unavailable):
        kept_of_each.memberships.replace("acme", broken())
    assert kept(kept_of_each) == {"g1", "g2"}
