"""`headrace status`: how old the memberships are, which groups cannot be read, and what is out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from connectors.contract import Membership, PartState, UnreadableGroup
from connectors.model import Unit
from pipelines.catalog import tables
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.cli.conftest import BO, Done
from tests.pipelines.documents import document


@pytest.fixture
def services(folder: Path) -> Services:
    return Services(load_settings(folder / "headrace.yaml", environment={}), FakeEmbedder())


def test_status_tells_the_age_of_memberships(headrace: Callable[..., Done], services: Services) -> None:
    read_at = datetime.now(UTC) - timedelta(hours=25)
    with services as opened:
        opened.catalog.connections.record_memberships_read("acme")
        opened.catalog.memberships.replace("acme", [Membership("unit", BO), Membership("old", BO)])
        old = tables.groups.c.group == "group:acme:old"
        with opened.catalog._engine.begin() as transaction:
            transaction.execute(update(tables.groups).where(old).values(read_at=read_at))
        opened.catalog.memberships.replace(
            "acme", [UnreadableGroup("unit", "no scope"), UnreadableGroup("old", "gone")]
        )
    (connection,) = headrace("status", "--json").json["connections"]
    assert 0 <= connection["memberships_age_seconds"] < 60
    old_group, unit = connection["unreadable_groups"]
    assert (old_group["group"], old_group["reason"], old_group["counts"]) == ("group:acme:old", "gone", False)
    assert (old_group["read_at"], round(old_group["age_seconds"] / 3600)) == (read_at.isoformat(), 25)
    assert (unit["group"], unit["reason"], unit["counts"]) == ("group:acme:unit", "no scope", True)
    lines = headrace("status").out.splitlines()
    assert any("; memberships read 0 minutes ago" in line for line in lines)
    assert "unreadable  group:acme:old: gone; members read 1500 minutes ago; nobody belongs to it" in lines
    assert "unreadable  group:acme:unit: no scope; members read 0 minutes ago" in lines


@pytest.fixture
def out_of_reach(services: Services) -> Iterator[None]:
    """The unit is not listed any more, and then it is again."""
    with services as opened:
        opened.catalog.units.replace_listing("acme", "github", [])
        yield
        opened.catalog.units.replace_listing("acme", "github", [Unit("unit", "Plant")])


@pytest.mark.usefixtures("out_of_reach")
def test_a_unit_out_of_reach_is_shown_with_what_to_do(headrace: Callable[..., Done]) -> None:
    line = (
        "acme/unit: Plant is out of reach (the source no longer lists it, or the token no longer reaches it): "
        "its documents are kept, and nobody sees them; `headrace reconcile acme --allow-mass-delete` removes them"
    )
    (connection,) = headrace("status", "--json").json["connections"]
    assert connection["out_of_reach"] == [line]
    assert f"hidden  {line}" in headrace("status").out.splitlines()
    found = headrace("check", "--json").json["findings"]
    assert {"subject": "acme: units", "ok": False, "detail": line} in found


@pytest.mark.usefixtures("out_of_reach")
def test_explaining_what_is_out_of_reach_says_that_nobody_sees_it(headrace: Callable[..., Done]) -> None:
    out = headrace("explain", document(2).id, "--user", BO).out
    assert f"not visible to {BO}: it is published for them, and revoked since" in out
    for contradiction in ("None", "administrator"):
        assert contradiction not in out


def test_documents_that_the_brake_keeps_are_counted(headrace: Callable[..., Done], services: Services) -> None:
    with services as opened:
        opened.catalog.rights.hide("acme", "unit", [document(2).id], "missing from the source's listing")
        (connection,) = headrace("status", "--json").json["connections"]
        opened.catalog.documents.mark_listed([document(2).id], "l", datetime.now(UTC))
    (line,) = connection["out_of_reach"]
    assert line.startswith("acme/unit: 1 documents of Plant are missing at the source: they are kept, and nobody sees")
    assert headrace("status", "--json").json["connections"][0]["out_of_reach"] == []


@pytest.fixture
def refused(services: Services) -> Iterator[None]:
    """Discussions of the unit, and some of the units themselves, and then they are not any more."""
    with services as opened:
        opened.catalog.parts.record("acme", "unit", [PartState("discussions", "refused", "403; grant `x`")])
        opened.catalog.parts.replace("acme", "", [PartState("units", "refused", "organisations 42 are left out")])
        yield
        opened.catalog.parts.replace("acme", "unit", [])
        opened.catalog.parts.replace("acme", "", [])


@pytest.mark.usefixtures("refused")
def test_parts_that_are_refused_have_a_line_each(headrace: Callable[..., Done]) -> None:
    (connection,) = headrace("status", "--json").json["connections"]
    assert [(one["unit"], one["part"], one["status"], one["reason"]) for one in connection["parts"]] == [
        ("", "units", "refused", "organisations 42 are left out"),
        ("Plant", "discussions", "refused", "403; grant `x`"),
    ]
    lines = headrace("status").out
    assert "refused  units, since " in lines
    assert "refused  discussions of Plant, since " in lines
    assert ": 403; grant `x`" in lines


@pytest.mark.usefixtures("refused")
def test_explaining_tells_which_part_is_missing(headrace: Callable[..., Done]) -> None:
    assert "its discussions: refused since " in headrace("explain", document(1).id).out
    unknown = headrace("explain", "github:acme/unit/discussions/7")
    assert unknown.code != 0
    assert "discussions of Plant are refused: 403; grant `x`" in unknown.err


@pytest.fixture
def many_units(services: Services) -> Iterator[None]:
    """Beside the unit that is read there are 120 others, of which one has failed; and then there are not any more."""
    plant = Unit("unit", "Plant")
    with services as opened:
        listed = [plant, *(Unit(f"u{number:03}", f"Unit {number:03}") for number in range(120))]
        opened.catalog.units.replace_listing("acme", "github", listed)
        opened.catalog.units.record_sync("acme", "u117", error="it is in flames")
        yield
        with opened.catalog._engine.begin() as transaction:
            transaction.execute(delete(tables.units).where(tables.units.c.unit != "unit"))


@pytest.mark.usefixtures("many_units")
def test_of_many_units_the_first_are_shown_and_those_in_trouble_before_them(
    headrace: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = headrace("status").out.splitlines()
    assert ("Plant" in lines[1], "Unit 117" in lines[2], "it is in flames" in lines[2]) == (True, True, True)
    assert sum("Unit " in line for line in lines) == 49
    assert "71 more units of 121: --page 2, or --limit" in lines
    assert any(line.split()[:2] == ["acme", "121"] for line in lines), "a line for the connection"
    last = headrace("status", "--page", "3").out.splitlines()
    assert (sum("Unit " in line for line in last), any("more units" in line for line in last)) == (21, False)
    assert sum("Unit " in line for line in headrace("status", "--limit", "200").out.splitlines()) == 120
    (connection,) = headrace("status", "--json").json["connections"]
    assert len(connection["units"]) == 121
    (connection,) = headrace("status", "--json", "--limit", "7", "--page", "2").json["connections"]
    assert (len(connection["units"]), connection["totals"]["indexed"]) == (7, 2)


@pytest.mark.usefixtures("many_units")
def test_status_of_one_unit_shows_that_alone(headrace: Callable[..., Done]) -> None:
    for name in ("u005", "Unit 005"):
        (connection,) = headrace("status", f"acme/{name}", "--json").json["connections"]
        assert [one["id"] for one in connection["units"]] == ["u005"]
    unknown = headrace("status", "acme/nowhere")
    assert (unknown.code, "acme has no unit 'nowhere'" in unknown.err) == (2, True)
