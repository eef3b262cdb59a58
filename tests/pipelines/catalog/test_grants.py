"""Grants end when they should, and nothing readable of their tokens is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.catalog import Catalog
from pipelines.catalog.grants import Replayed, TokenPair
from pipelines.catalog.oauth_clients import UNUSED_DAYS, OAuthClient, TooManyClients

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADA, BO = "ada@example.com", "bo@example.com"


def begun(catalog: Catalog, person: str = ADA) -> str:
    return catalog.grants.begin(person, "code", client="c", client_name="C", now=NOW, expires_at=NOW + MINUTE)


def redeemed(catalog: Catalog, person: str = ADA) -> TokenPair:
    pair = catalog.grants.renew(begun(catalog, person), "code", NOW, 10 * MINUTE, expires_at=NOW + timedelta(days=30))
    assert pair
    return pair


def test_a_code_lasts_a_minute(catalog: Catalog) -> None:
    code = begun(catalog)
    assert catalog.grants.find(code, "code", NOW)
    assert catalog.grants.find(code, "code", NOW + MINUTE) is None
    assert catalog.grants.renew(code, "code", NOW + MINUTE, MINUTE) is None


def test_an_access_token_lasts_minutes_and_its_grant_days(catalog: Catalog) -> None:
    pair = redeemed(catalog)
    assert catalog.grants.find_access(pair.access, NOW + 9 * MINUTE)
    assert catalog.grants.find_access(pair.access, NOW + 10 * MINUTE) is None
    almost = NOW + timedelta(days=30) - MINUTE
    renewed = catalog.grants.renew(pair.refresh, "refresh", almost, 10 * MINUTE)
    assert renewed
    assert catalog.grants.find_access(renewed.access, almost)
    assert catalog.grants.find_access(renewed.access, almost + MINUTE) is None  # renewing moved no end
    assert catalog.grants.renew(renewed.refresh, "refresh", almost + MINUTE, MINUTE) is None


@pytest.mark.parametrize("stage", ["code", "refresh"])
def test_what_is_used_twice_ends_its_grant(catalog: Catalog, stage: str) -> None:
    code = begun(catalog)
    first = catalog.grants.renew(code, "code", NOW, MINUTE, expires_at=NOW + timedelta(days=30))
    assert first
    second = catalog.grants.renew(first.refresh, "refresh", NOW, MINUTE)
    assert second
    with pytest.raises(Replayed):
        catalog.grants.renew(code if stage == "code" else first.refresh, stage, NOW, MINUTE)  # type: ignore[arg-type]
    assert catalog.grants.find_access(second.access, NOW) is None
    assert catalog.grants.find(second.refresh, "refresh", NOW) is None


def test_another_persons_grants_go_on(catalog: Catalog) -> None:
    ada, bo = redeemed(catalog), redeemed(catalog, BO)
    assert [one.person for one in catalog.grants.revoke_all(ADA)] == [ADA]
    assert catalog.grants.find_access(ada.access, NOW) is None
    assert catalog.grants.find_access(bo.access, NOW)
    (left,) = catalog.grants.all(NOW)
    assert [one.id for one in catalog.grants.revoke(left.id)] == [left.id]
    assert catalog.grants.all(NOW) == []


def test_what_has_expired_goes_when_somebody_signs_in(catalog: Catalog) -> None:
    begun(catalog)
    catalog.grants.begin(BO, "session", now=NOW + MINUTE, expires_at=NOW + timedelta(hours=1))
    assert [one.person for one in catalog.grants.revoke_all(ADA)] == []
    assert [one.person for one in catalog.grants.all(NOW + MINUTE)] == [BO]


def test_a_client_ends_none_but_its_own_grants(catalog: Catalog) -> None:
    pair = redeemed(catalog)
    assert catalog.grants.revoke_token(pair.refresh, "another") is None
    assert catalog.grants.find_access(pair.access, NOW)
    assert catalog.grants.revoke_token(pair.access, "c")
    assert catalog.grants.find_access(pair.access, NOW) is None


def test_no_token_is_kept(catalog: Catalog) -> None:
    code, pair = begun(catalog), redeemed(catalog)
    with catalog._engine.connect() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM grants").all())
    for token in (code, pair.access, pair.refresh):
        handle, secret = token.split("_", 2)[2].split(".")
        assert handle not in kept
        assert secret not in kept


def test_registering_fills_no_disk(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.catalog.oauth_clients.MOST_UNUSED", 3)
    client = OAuthClient("used", "Used", ("http://127.0.0.1/callback",))
    catalog.oauth_clients.add(client, NOW)
    catalog.oauth_clients.mark_used("used", NOW)
    for number in range(5):
        catalog.oauth_clients.add(OAuthClient(str(number), "", ()), NOW + timedelta(hours=number, seconds=number))
    assert [number for number in range(5) if catalog.oauth_clients.get(str(number))] == [2, 3, 4]
    assert catalog.oauth_clients.get("used") == client
    catalog.oauth_clients.add(OAuthClient("later", "", ()), NOW + timedelta(days=UNUSED_DAYS, seconds=1))
    assert catalog.oauth_clients.get("used") is None


def test_a_new_client_is_not_pushed_out_by_those_of_others(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.catalog.oauth_clients.MOST_UNUSED", 3)
    for number in range(3):
        catalog.oauth_clients.add(OAuthClient(str(number), "", ()), NOW + timedelta(minutes=number))
    with pytest.raises(TooManyClients):
        catalog.oauth_clients.add(OAuthClient("one more", "", ()), NOW + timedelta(minutes=59))
    assert catalog.oauth_clients.get("0")
    catalog.oauth_clients.add(OAuthClient("one more", "", ()), NOW + timedelta(hours=1, seconds=1))
    assert [number for number in range(3) if catalog.oauth_clients.get(str(number))] == [1, 2]
