"""Access tokens of the provider itself: who they prove, and what is wrong with those that prove nobody."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from pipelines.service.sign_in.access_tokens import INTROSPECTION_LIFETIME, Introspection, ProviderTokens
from pipelines.service.sign_in.claims import ClaimRefused
from pipelines.service.sign_in.fetching import open_client
from pipelines.service.sign_in.keys import LIFETIME, PAUSE
from pipelines.service.sign_in.provider import OpenIdProvider, ProviderTrouble
from pipelines.service_settings import IntrospectionSettings, SignInSettings
from pipelines.services import Services
from tests.emulators.company import free_port
from tests.emulators.token_issuer import TokenIssuer
from tests.pipelines.service.conftest import ADA, BO, SEES
from tests.pipelines.service.sign_in.conftest import SignInServer, signing_in


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with TokenIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[TokenIssuer]:
    with TokenIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def direct(services: Services, shared_issuer: TokenIssuer) -> Iterator[SignInServer]:
    asked = {
        "issuer": shared_issuer.url,
        "client_id": "headrace-client",
        "client_secret": "secret",
        "audience": ["other", "headrace"],
        "introspection": {"client_id": "headrace-client", "client_secret": "secret"},
    }
    with signing_in(services, free_port(), asked) as running:
        yield running


def ask(server: SignInServer, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{server.url}/v1/search", headers=headers, json={"query": "certificate has expired"})


def parts(token: str) -> list[str]:
    return token.split(".")


def encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("person", [ADA, BO, "Bo@Example.com"])
def test_a_token_proves_its_person(direct: SignInServer, shared_issuer: TokenIssuer, person: str) -> None:
    found = ask(direct, shared_issuer.token(email=person, aud=["headrace", "elsewhere"])).raise_for_status().json()
    assert len(found["results"]) == len(SEES[person.lower()])


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "elsewhere"}, "Audience"),
        ({"aud": None}, "aud"),
        ({"iss": "http://elsewhere.example"}, "issuer"),
        ({"exp": 1_000_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"sub": None}, "sub"),
        ({"nbf": 4_000_000_000}, "not yet valid"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "false"}, "not verified"),
        ({"email_verified": None}, "whether"),
        ({"email": None}, "no e-mail address"),
        ({"email": ["ada@example.com"]}, "no e-mail address"),
    ],
)
def test_a_wrong_claim_is_refused_at_once(
    direct: SignInServer, shared_issuer: TokenIssuer, claims: dict[str, Any], reason: str
) -> None:
    refused = ask(direct, shared_issuer.token(**claims))
    assert refused.status_code == 401
    assert reason in refused.json()["detail"]
    assert "resource_metadata=" in refused.headers["www-authenticate"]


def test_an_issuer_with_a_slash_more_is_another_one(direct: SignInServer, shared_issuer: TokenIssuer) -> None:
    assert ask(direct, shared_issuer.token(iss=f"{shared_issuer.url}/")).status_code == 401


@pytest.mark.parametrize(
    ("head", "claims"),
    [
        ({"typ": "JWT"}, {"nonce": "n"}),
        ({"typ": "JWT"}, {"at_hash": "h"}),
        ({"typ": "JWT"}, {"typ": "ID"}),
        ({"typ": "JWT"}, {"token_use": "id"}),
        ({"typ": "JWT"}, {"aud": ["headrace", "headrace-client"]}),
        ({"typ": "logout+jwt"}, {}),
    ],
)
def test_an_id_token_opens_nothing(issuer: TokenIssuer, head: dict[str, Any], claims: dict[str, Any]) -> None:
    asked = SignInSettings(
        issuer=issuer.url, client_id="headrace-client", client_secret=SecretStr("s"), audience=("headrace",)
    )
    tokens = ProviderTokens(asked, OpenIdProvider(asked, "https://headrace.acme.com", open_client()), None)
    assert tokens.address(issuer.token(head={"typ": "JWT"})) == ADA
    with pytest.raises(ClaimRefused, match="no access token"):
        tokens.address(issuer.token(head=head, **claims))


def test_only_the_providers_signature_counts(direct: SignInServer, shared_issuer: TokenIssuer) -> None:
    head, body, signature = parts(shared_issuer.token())
    other = parts(shared_issuer.token(email=BO))
    key = ec.generate_private_key(ec.SECP256R1())
    claims = jwt.decode(shared_issuer.token(), options={"verify_signature": False})
    public = shared_issuer.answer("/jwks", "")[1]["keys"][0]["x"]
    forged = [
        f"{head}.{other[1]}.{signature}",
        f"{encode({'alg': 'none', 'kid': 'first'})}.{body}.",
        jwt.encode(claims, key, "ES256", headers={"kid": "first", "typ": "at+jwt"}),
        jwt.encode(claims, public.ljust(32, "x"), "HS256", headers={"kid": "first", "typ": "at+jwt"}),
        "a.b.c",
    ]
    assert [ask(direct, one).status_code for one in forged] == [401] * len(forged)


@pytest.mark.parametrize("head", [{"kid": "k" * 20_000}, {"kid": "first", "crit": ["c" * 20_000]}])
def test_what_a_made_up_token_says_is_hardly_quoted(direct: SignInServer, head: dict[str, Any]) -> None:
    refused = ask(direct, f"{encode({'alg': 'RS256', **head})}.{encode({})}.")
    assert (refused.status_code, len(refused.json()["detail"]) < 300) == (401, True)


def test_opaque_tokens_are_looked_up_at_the_provider(direct: SignInServer, shared_issuer: TokenIssuer) -> None:
    told = {"active": True, "aud": "headrace", "sub": "1", "exp": time.time() + 60, "email": BO, "email_verified": True}
    shared_issuer.introspected = {"opaque": told, "other": {**told, "aud": "elsewhere"}}
    assert len(ask(direct, "opaque").raise_for_status().json()["results"]) == len(SEES[BO])
    assert [ask(direct, one).status_code for one in ("other", "unknown")] == [401, 401]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def opened(issuer: TokenIssuer, clock: Clock, url: str = "") -> OpenIdProvider:
    asked = SignInSettings(issuer=url or issuer.url, audience=("headrace",))
    return OpenIdProvider(asked, "https://headrace.acme.com", open_client(), clock)


def verify(provider: OpenIdProvider, token: str) -> Any:
    return provider.verify_jwt(token, audience=["headrace"], required=("exp",))["email"]


def test_a_key_that_is_rotated_out_counts_no_longer_after_300_seconds(issuer: TokenIssuer) -> None:
    clock = Clock()
    provider, old = opened(issuer, clock), issuer.token()
    assert verify(provider, old) == ADA
    issuer.published = ["second"]
    clock.now += PAUSE
    assert verify(provider, issuer.token("second")) == ADA  # an unknown key has them read again, and the old one goes
    with pytest.raises(ClaimRefused, match="no key 'first'"):
        verify(provider, old)
    issuer.published = []
    clock.now += LIFETIME - 1
    assert verify(provider, issuer.token("second")) == ADA
    clock.now += 1
    with pytest.raises(ProviderTrouble):
        verify(provider, issuer.token("second"))


def test_made_up_keys_do_not_make_the_server_ask_again_and_again(issuer: TokenIssuer) -> None:
    clock = Clock()
    provider = opened(issuer, clock)
    verify(provider, issuer.token())
    clock.now += PAUSE
    for number in range(20):
        with pytest.raises(ClaimRefused):
            verify(provider, issuer.token(head={"kid": f"made up {number}"}))
    assert issuer.requests.count("/jwks") == 2
    assert verify(provider, issuer.token()) == ADA


def test_a_provider_of_another_issuer_is_not_believed(issuer: TokenIssuer) -> None:
    provider = opened(issuer, Clock(), f"{issuer.url}/")
    with pytest.raises(ProviderTrouble, match=r"set sign_in\.issuer to that, exactly"):
        verify(provider, issuer.token())


def test_an_answer_of_introspection_counts_for_a_minute(issuer: TokenIssuer) -> None:
    clock = Clock()
    asked = IntrospectionSettings(client_id="c", client_secret=SecretStr("s"))
    introspection = Introspection(asked, ("headrace",), opened(issuer, clock), open_client(), clock)
    issuer.introspected["t"] = {"active": True, "aud": ["headrace"], "sub": "1", "exp": clock.now + 600}
    assert introspection.claims("t")["sub"] == "1"
    issuer.introspected.clear()
    clock.now += INTROSPECTION_LIFETIME - 1
    assert introspection.claims("t")["sub"] == "1"
    clock.now += 1
    with pytest.raises(ClaimRefused, match="not in force"):
        introspection.claims("t")
