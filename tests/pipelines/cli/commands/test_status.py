"""`headrace status`: how old the memberships are, and which groups cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from connectors.contract import Membership, UnreadableGroup
from pipelines.catalog import tables
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.cli.conftest import BO, Done


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
