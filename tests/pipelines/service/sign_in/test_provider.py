"""The provider's ID token ends a sign-in only if it belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from pipelines.service.sign_in.claims import ClaimRefused
from pipelines.service.sign_in.fetching import open_client
from pipelines.service.sign_in.provider import OpenIdProvider, ProviderTrouble, check_provider
from pipelines.service.sign_in.seal import SignInAttempt
from pipelines.service_settings import SignInSettings
from tests.emulators.token_issuer import TokenIssuer

ATTEMPT = SignInAttempt(state="s", nonce="n", verifier="v" * 43)
PUBLIC_URL = "https://headrace.acme.com"


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with TokenIssuer() as running:
        yield running


@pytest.fixture
def provider(issuer: TokenIssuer) -> OpenIdProvider:
    return OpenIdProvider(settings(issuer.url), PUBLIC_URL, open_client())


def settings(url: str) -> SignInSettings:
    return SignInSettings(issuer=url, client_id="headrace", client_secret=SecretStr("a secret/&="))


def test_a_browser_is_led_to_the_provider_with_state_nonce_and_challenge(
    provider: OpenIdProvider, issuer: TokenIssuer
) -> None:
    url = urlsplit(provider.authorization_url(ATTEMPT))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == "/authorize"
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/sign-in/callback"
    assert (asked["state"], asked["nonce"], asked["code_challenge_method"]) == ("s", "n", "S256")
    assert "v" * 43 not in url.query


@pytest.mark.parametrize("takes", ["Basic", "body"])
def test_a_code_is_redeemed_however_the_client_has_to_prove_itself(
    provider: OpenIdProvider, issuer: TokenIssuer, takes: str
) -> None:
    issuer.takes, issuer.id_token = takes, issuer.token(aud="headrace", nonce="n")
    assert provider.redeem("code", ATTEMPT)["email"] == "ada@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "elsewhere"},
        {"aud": ["headrace", "elsewhere"]},
        {"azp": "elsewhere"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
        {"iat": None},
        {"sub": None},
    ],
)
def test_an_id_token_of_another_sign_in_is_refused(
    provider: OpenIdProvider, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    issuer.id_token = issuer.token(**{"aud": "headrace", "nonce": "n", **claims})
    with pytest.raises(ClaimRefused):
        provider.redeem("code", ATTEMPT)


def test_what_is_no_id_token_is_refused(provider: OpenIdProvider, issuer: TokenIssuer) -> None:
    issuer.id_token = "no token"
    with pytest.raises(ClaimRefused):
        provider.redeem("code", ATTEMPT)


def test_check_says_whether_the_provider_answers(issuer: TokenIssuer) -> None:
    found = check_provider(settings(issuer.url), PUBLIC_URL)
    assert found.ok
    assert f"{PUBLIC_URL}/sign-in/callback" in found.detail
    wrong = check_provider(settings(f"{issuer.url}/"), PUBLIC_URL)
    assert (wrong.ok, "sign_in.issuer" in wrong.detail) == (False, True)
    away = check_provider(settings("http://127.0.0.1:9"), PUBLIC_URL)
    assert (away.ok, "does not answer" in away.detail) == (False, True)


def test_a_provider_that_is_away_is_told(issuer: TokenIssuer) -> None:
    provider = OpenIdProvider(settings("http://127.0.0.1:9"), PUBLIC_URL, open_client())
    with pytest.raises(ProviderTrouble, match="does not answer"):
        provider.authorization_url(ATTEMPT)
