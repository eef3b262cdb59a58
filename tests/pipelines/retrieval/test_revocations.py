"""What queries leave out, by what was taken away, who asks and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from pipelines.catalog.revocations import EVERYBODY, RevokedScope, RightsInForce
from pipelines.catalog.withdrawals import Withdrawal
from pipelines.index.contract import Exclusion, Hit
from pipelines.retrieval.revocations import RevocationFilter

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ACME = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
ALL = {"ada", "bo", "admin"}
ADA, BO = frozenset({"public", "user:ada", "group:acme:u"}), frozenset({"public", "user:bo"})
UNIT = ("acme", "u")


def hit(readers: tuple[str, ...], **changes: str) -> Hit:
    payload = {"connection": "acme", "unit": "u", "document_id": "d", "version": "v1", "readers": list(readers)}
    return Hit("p", 1.0, payload | changes)


def revoked(*tokens: str, readers: tuple[str, ...] = ()) -> RevokedScope:
    return RevokedScope(frozenset(tokens), frozenset(readers))


def withdrawal(version: str, *points: str) -> Withdrawal:
    return Withdrawal(frozenset(points), frozenset({version}))


def in_force(**rights: Any) -> RevocationFilter:
    return RevocationFilter.of(RightsInForce(**rights), [ACME])


MADE_PRIVATE = {UNIT: revoked("public", readers=("group:acme:u",))}
MADE_PUBLIC = {UNIT: revoked("group:acme:u", readers=("public",))}


@pytest.mark.parametrize(
    ("rights", "readers", "sees"),
    [
        pytest.param({}, ("public",), ALL, id="nothing was taken away"),
        pytest.param({"units": MADE_PRIVATE}, ("public",), {"ada", "admin"}, id="a unit was made private"),
        pytest.param({"units": MADE_PRIVATE}, ("public", "user:bo"), ALL, id="a document has more readers"),
        pytest.param({"units": MADE_PRIVATE}, ("user:bo",), {"bo", "admin"}, id="the unit's readers are not added"),
        pytest.param({"units": {UNIT: revoked(EVERYBODY)}}, ("public", "user:bo"), set(), id="a unit is gone"),
        pytest.param({"units": {("acme", "other"): revoked(EVERYBODY)}}, ("public",), ALL, id="other"),
        pytest.param({"units": {("else", "u"): revoked(EVERYBODY)}}, ("public",), ALL, id="elsewhere"),
        pytest.param(
            {"units": {("acme", "v"): revoked(EVERYBODY)}, "moved": {"d": "v"}}, ("public",), set(), id="moved into it"
        ),
        pytest.param({"units": MADE_PRIVATE, "moved": {"d": "v"}}, ("public",), {"ada", "admin"}, id="moved out of it"),
        pytest.param(
            {"units": {("acme", "v"): revoked("public", readers=("user:bo",))}, "moved": {"d": "v"}},
            ("public", "user:ada"),
            ALL,
            id="moved into one with fewer readers",
        ),
        pytest.param({"listed": {UNIT}, "moved": {"d": "v"}}, ("public",), set(), id="moved to a unit nobody knows"),
        pytest.param({"documents": {"d": revoked(EVERYBODY)}}, ("public",), set(), id="a document was deleted"),
        pytest.param({"documents": {"e": revoked(EVERYBODY)}}, ("public",), ALL, id="another was"),
        pytest.param({"withdrawals": {"d": withdrawal("v2")}}, ("public",), set(), id="text was taken out"),
        pytest.param({"withdrawals": {"d": withdrawal("v1")}}, ("public",), ALL, id="of an earlier version"),
        pytest.param({"withdrawals": {"d": withdrawal("v2", "p")}}, ("public",), ALL, id="elsewhere in the document"),
        pytest.param({"withdrawals": {"d": withdrawal("v1")}}, ("user:bo",), {"bo", "admin"}, id="readers still count"),
        pytest.param(
            {"documents": {"d": revoked("user:bo")}}, ("user:ada", "user:bo"), {"ada", "admin"}, id="unshared"
        ),
        pytest.param(
            {"documents": {"d": revoked("public", readers=("user:bo",))}}, ("public",), {"bo", "admin"}, id="narrowed"
        ),
        pytest.param(
            # What a late read says of a right that was taken away meanwhile is out of date.
            {"documents": {"d": revoked("public", readers=("public",))}},
            ("public",),
            {"admin"},
            id="read too early",
        ),
        pytest.param(
            {"units": MADE_PRIVATE, "documents": {"d": revoked("group:acme:u")}}, ("public",), {"admin"}, id="both"
        ),
        pytest.param(
            {"units": MADE_PUBLIC, "documents": {"d": revoked("group:acme:u")}},
            ("group:acme:u",),
            {"admin"},
            id="a document was shut after its unit was made public",
        ),
        pytest.param({"ends": {"d": {"user:bo": NOW.timestamp()}}}, ("user:bo",), {"admin"}, id="ended this second"),
        pytest.param({"ends": {"d": {"user:bo": NOW.timestamp() + 1}}}, ("user:bo",), {"bo", "admin"}, id="ends soon"),
        pytest.param({"ends": {"d": {"user:bo": 0.0}}}, ("user:bo", "public"), ALL, id="and public"),
    ],
)
def test_who_sees_a_point_that_the_index_found(
    rights: dict[str, Any], readers: tuple[str, ...], sees: set[str]
) -> None:
    askers = {"ada": ADA, "bo": BO, "admin": None}
    revocations = in_force(**rights)
    # The index finds for its readers alone.
    found = {name for name, asker in askers.items() if asker is None or asker & set(readers)}
    shown = {name for name in found if revocations.permits(hit(readers), askers[name], NOW)}
    assert shown == sees & found
    assert sees <= found


def test_a_connection_that_the_settings_do_not_name_is_shown_to_nobody() -> None:
    revocations = in_force(names={("former", "u"): "Unit", UNIT: "Unit"})
    assert not revocations.permits(hit(("public",), connection="former"), None, NOW)
    assert not revocations.is_empty
    assert revocations.exclusions(None, NOW) == (Exclusion("former"),)


@pytest.mark.parametrize(("unit", "name", "shown"), [("u", "acme/api", False), ("v", "acme/web", True)])
def test_an_excluded_unit_is_shown_to_nobody(unit: str, name: str, shown: bool) -> None:
    excluding = ACME.model_copy(update={"exclude": ("acme/api",)})
    revocations = RevocationFilter.of(RightsInForce(names={("acme", unit): name}), [excluding])
    assert revocations.permits(hit(("public",), unit=unit), None, NOW) is shown
    assert revocations.is_empty is shown


def test_conditions_of_the_index_cover_what_is_hidden_from_the_asker() -> None:
    revocations = in_force(
        units={UNIT: revoked("public", readers=("group:acme:u",)), ("acme", "gone"): revoked(EVERYBODY)},
        documents={"d1": revoked(EVERYBODY), "d2": revoked("user:bo"), "d3": revoked("public", readers=("user:bo",))},
    )
    gone = Exclusion("acme", ("gone",))
    assert revocations.exclusions(None, NOW) == (gone, Exclusion(documents=("d1",)))
    assert revocations.exclusions(BO, NOW) == (
        gone,
        Exclusion("acme", ("u",), unless_readers=("user:bo",)),
        Exclusion(documents=("d1",)),
        Exclusion(documents=("d2",), unless_readers=("public",)),
    )
    assert revocations.exclusions(ADA, NOW) == (
        gone,
        Exclusion(documents=("d1",)),
        Exclusion(documents=("d3",), unless_readers=("group:acme:u", "user:ada")),
    )


def test_conditions_of_the_index_cover_what_has_moved_to_a_unit() -> None:
    units = {UNIT: revoked("public", readers=("group:acme:u",)), ("acme", "gone"): revoked(EVERYBODY)}
    assert in_force(units=units, moved={"d1": "gone", "d2": "u", "d3": "v"}).exclusions(BO, NOW) == (
        Exclusion("acme", ("gone",)),
        Exclusion("acme", documents=("d1",)),
        Exclusion("acme", ("u",), unless_readers=("user:bo",)),
        Exclusion("acme", documents=("d2",), unless_readers=("user:bo",)),
    )


def test_time_is_compared_to_the_second() -> None:
    revocations = in_force(ends={"d": {"user:bo": (NOW + timedelta(seconds=1)).timestamp()}})
    shown = [revocations.permits(hit(("user:bo",)), BO, NOW + timedelta(seconds=after)) for after in (0, 1, 2)]
    assert shown == [True, False, False]


def test_a_permission_that_has_ended_takes_no_place_in_the_index_either() -> None:
    ends = {
        "d1": {"user:bo": 0.0},
        "d2": {"user:bo": 0.0},
        "d3": {"user:bo": NOW.timestamp() + 1},
        "d4": {"user:x": 0.0},
    }
    expected = Exclusion(documents=("d1", "d2"), unless_readers=("public",))
    assert in_force(ends=ends).exclusions(BO, NOW) == (expected,)


TOKENS = st.frozensets(st.sampled_from(["public", "user:bo", "user:ada", "group:acme:u"]), max_size=3)
SCOPES = st.builds(RevokedScope, TOKENS, TOKENS)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(
    units=st.dictionaries(st.sampled_from([UNIT, ("acme", "v")]), SCOPES),
    documents=st.dictionaries(st.just("d"), SCOPES),
    ends=st.dictionaries(st.just("d"), st.dictionaries(st.sampled_from(["public", "user:bo"]), st.just(0.0))),
    moved=st.dictionaries(st.just("d"), st.sampled_from(["u", "v"])),
    readers=TOKENS,
    asker=st.sampled_from([ADA, BO]),
)
def test_conditions_of_the_index_leave_out_nothing_that_may_be_shown(
    readers: frozenset[str], asker: frozenset[str], **rights: Any
) -> None:
    revocations, found = in_force(**rights), hit(tuple(readers))
    assume(readers & asker and revocations.permits(found, asker, NOW))
    # No source whose documents have readers of their own says who reads its units.
    assume(
        not rights["ends"] | rights["documents"]
        or not any(one.tokens | one.readers for one in rights["units"].values())
    )
    leaving_out = [one for one in revocations.exclusions(asker, NOW) if covers(one, found)]
    assert leaving_out == []


def covers(exclusion: Exclusion, found: Hit) -> bool:
    """As an index reads it."""
    payload = found.payload
    named = not exclusion.units or payload["unit"] in exclusion.units
    named = named and (not exclusion.documents or payload["document_id"] in exclusion.documents)
    return named and not set(exclusion.unless_readers) & set(payload["readers"])
