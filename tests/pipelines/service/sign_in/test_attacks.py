"""Who sends people elsewhere, forges a consent, or has stolen a code or token gets nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import httpx
import pytest
from lxml import html

from pipelines.services import Services
from tests.emulators.company import free_port
from tests.emulators.http_browser import HttpBrowser
from tests.pipelines.service.conftest import ADA
from tests.pipelines.service.sign_in.conftest import SignInServer, signing_in

REDIRECT = "http://127.0.0.1:7777/callback"
VERIFIER = "a" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def register(server: SignInServer, *redirects: str, **metadata: str) -> httpx.Response:
    return httpx.post(f"{server.url}/register", json={"redirect_uris": redirects, **metadata})


def asked(server: SignInServer, client: str, **changed: str) -> str:
    """Where a client sends a browser."""
    values = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": REDIRECT,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "the client's",
    }
    return f"{server.url}/authorize?{urlencode({**values, **changed})}"


def redeem(server: SignInServer, client: str, code: str, **changed: str) -> httpx.Response:
    values = {"grant_type": "authorization_code", "code": code, "client_id": client, "redirect_uri": REDIRECT}
    return httpx.post(f"{server.url}/token", data={**values, "code_verifier": VERIFIER, **changed})


def refresh(server: SignInServer, client: str, token: str, **changed: str) -> httpx.Response:
    values = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
    return httpx.post(f"{server.url}/token", data={**values, **changed})


def may_search(server: SignInServer, access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    return httpx.post(f"{server.url}/v1/search", headers=headers, json={"query": "certificate"}).status_code == 200


def told(page: httpx.Response) -> str:
    """What a page says to a person."""
    return " ".join(html.fromstring(page.content).xpath("string(//main)").split())


@pytest.fixture(scope="module")
def client(broker: SignInServer) -> str:
    found: str = register(broker, REDIRECT, client_name="Notebook").raise_for_status().json()["client_id"]
    return found


@pytest.fixture
def browser() -> Iterator[HttpBrowser]:
    with HttpBrowser(ADA) as opened:
        yield opened


@pytest.fixture
def code(broker: SignInServer, client: str, browser: HttpBrowser) -> str:
    url = httpx.URL(browser.sign_in(asked(broker, client), REDIRECT))
    assert (url.params["state"], url.params["iss"]) == ("the client's", broker.url)
    return url.params["code"]


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/callback",
        "https://claude.ai.evil.example/callback",
        "https://claude.ai@evil.example/callback",
        "http://claude.ai/callback",
        "evil-app://callback",
    ],
)
def test_a_redirect_outside_the_list_is_not_registered(broker: SignInServer, redirect: str) -> None:
    refused = register(broker, redirect)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_redirect_uri")
    assert "sign_in.redirects" in refused.json()["error_description"]


def test_only_allowed_redirects_are_registered_and_no_secret_is_made(broker: SignInServer) -> None:
    made = register(broker, "https://evil.example/x", "https://vscode.dev/redirect").raise_for_status().json()
    assert made["redirect_uris"] == ["https://vscode.dev/redirect"]
    assert made["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in made


@pytest.mark.parametrize(
    ("module", "limit"), [("service.throttling", "REGISTRATIONS_PER_HOUR"), ("catalog.oauth_clients", "MOST_UNUSED")]
)
def test_whoever_registers_many_clients_is_put_off(
    services: Services, monkeypatch: pytest.MonkeyPatch, module: str, limit: str
) -> None:
    monkeypatch.setattr(f"pipelines.{module}.{limit}", 0 if limit == "MOST_UNUSED" else 2)
    known = {"issuer": "https://login.example.com", "client_id": "headrace", "client_secret": "s" * 20}
    with signing_in(services, free_port(), known) as server:
        answers = [register(server, REDIRECT) for _ in range(3)]
    assert [one.status_code for one in answers][-1:] == [429]
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "has not registered the redirect"),
        ({"redirect_uri": "http://127.0.0.1:7777/elsewhere"}, "has not registered the redirect"),
        ({"client_id": "unknown"}, "not found"),
        ({"client_id": "https://127.0.0.1/client.json"}, "not found"),
    ],
)
def test_who_may_not_be_sent_back_is_told_on_a_page(
    broker: SignInServer, client: str, changed: dict[str, str], reason: str
) -> None:
    page = httpx.get(asked(broker, client, **changed))
    assert page.status_code == 400
    assert reason in told(page)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": "x" * 3_000}, "invalid_request"),
    ],
)
def test_what_a_client_asks_wrongly_it_is_told(
    broker: SignInServer, client: str, changed: dict[str, str], error: str
) -> None:
    answer = httpx.URL(httpx.get(asked(broker, client, **changed)).headers["location"])
    assert str(answer).startswith(REDIRECT)
    assert (answer.params["error"], answer.params["iss"]) == (error, broker.url)


def test_any_port_of_this_machine_and_any_scope_are_let_in(
    broker: SignInServer, client: str, browser: HttpBrowser
) -> None:
    other = REDIRECT.replace("7777", "8888")
    changed = {"redirect_uri": other, "scope": "anything at:all", "resource": f"{broker.url}/mcp"}
    code = httpx.URL(browser.sign_in(asked(broker, client, **changed), other)).params["code"]
    tokens = redeem(broker, client, code, redirect_uri=other).raise_for_status().json()
    assert may_search(broker, tokens["access_token"])


def test_consent_names_the_client_and_where_it_leads(broker: SignInServer, browser: HttpBrowser) -> None:
    name = "<b>Claude</b> \u202eevil"
    client = register(broker, "https://claude.ai/api/mcp/auth_callback", client_name=name).json()["client_id"]
    page = browser.open(asked(broker, client, redirect_uri="https://claude.ai/api/mcp/auth_callback"))
    assert "<b>Claude</b> evil" in told(page)
    assert "claude.ai" in told(page)
    assert "as it calls itself" in told(page)
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy
    assert "__Host-" in page.headers["set-cookie"]


def test_a_known_client_needs_no_registration(broker: SignInServer, browser: HttpBrowser) -> None:
    claude = "https://claude.ai/oauth/mcp-oauth-client-metadata"
    redirect = "https://claude.ai/api/mcp/auth_callback"
    page = browser.open(asked(broker, claude, redirect_uri=redirect))
    assert "published by claude.ai" in told(page)
    code = httpx.URL(browser.sign_in(str(page.url), redirect)).params["code"]
    assert redeem(broker, claude, code, redirect_uri=redirect).status_code == 200


def test_who_refuses_sends_the_client_away(broker: SignInServer, client: str, browser: HttpBrowser) -> None:
    browser.submit(browser.open(asked(broker, client)), REDIRECT, decision="deny")
    assert httpx.URL(browser.sent[-1]).params["error"] == "access_denied"


def test_a_consent_is_bound_to_its_browser(broker: SignInServer, client: str, browser: HttpBrowser) -> None:
    page = browser.open(asked(broker, client))
    with HttpBrowser("eve@example.com") as other:
        refused = other.submit(page, decision="allow")
    assert refused.status_code == 400
    assert "another browser" in told(refused)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_consent_comes_from_its_own_page(broker: SignInServer, client: str, browser: HttpBrowser, site: str) -> None:
    page = browser.open(asked(broker, client))
    state = html.fromstring(page.content).forms[0].fields["state"]
    asked_from = {"Sec-Fetch-Site": site}
    forged = browser.http.post(str(page.url), data={"state": state, "decision": "allow"}, headers=asked_from)
    assert forged.status_code == 400


def test_a_return_from_the_provider_is_bound_to_its_browser(
    broker: SignInServer, client: str, browser: HttpBrowser
) -> None:
    callback = f"{broker.url}/sign-in/callback"
    browser.sign_in(asked(broker, client), callback)
    with HttpBrowser("eve@example.com") as other:
        assert other.open(browser.sent[-1]).status_code == 400
    mixed = httpx.URL(browser.sent[-1]).copy_merge_params({"iss": "https://elsewhere.example"})
    assert browser.open(str(mixed)).status_code == 400


def test_a_sealed_request_cannot_be_made_up(broker: SignInServer, browser: HttpBrowser) -> None:
    assert browser.open(f"{broker.url}/sign-in/consent?request=eyJhbGciOiJub25lIn0.e30.").status_code == 400
    assert browser.open(f"{broker.url}/sign-in/consent").status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "b" * 50},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:9999/callback"},
        {"client_id": "unknown"},
    ],
)
def test_a_stolen_code_is_worth_nothing(broker: SignInServer, client: str, code: str, changed: dict[str, str]) -> None:
    assert redeem(broker, client, code, **changed).status_code in (400, 401)
    assert redeem(broker, client, code).status_code == 200


def test_a_code_is_worth_nothing_to_another_client(broker: SignInServer, client: str, code: str) -> None:
    other = register(broker, REDIRECT).json()["client_id"]
    assert redeem(broker, other, code).json()["error"] == "invalid_grant"
    assert redeem(broker, client, code).status_code == 200


def test_tokens_are_made_for_this_server_alone(broker: SignInServer, client: str, code: str) -> None:
    foreign = {"resource": "https://elsewhere.example/mcp"}
    refused = redeem(broker, client, code, **foreign)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    made = redeem(broker, client, code, resource=broker.mcp).raise_for_status().json()  # the code is not lost by it
    refused = refresh(broker, client, made["refresh_token"], **foreign)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    assert refresh(broker, client, made["refresh_token"], resource=f"{broker.url}/").status_code == 200


def test_a_code_that_is_used_twice_ends_its_grant(broker: SignInServer, client: str, code: str) -> None:
    tokens = redeem(broker, client, code).json()
    assert may_search(broker, tokens["access_token"])
    assert redeem(broker, client, code).json()["error"] == "invalid_grant"
    assert not may_search(broker, tokens["access_token"])
    assert refresh(broker, client, tokens["refresh_token"]).status_code == 400


def test_a_refresh_token_that_is_used_twice_ends_its_grant(broker: SignInServer, client: str, code: str) -> None:
    first = redeem(broker, client, code).json()
    second = refresh(broker, client, first["refresh_token"]).json()
    assert may_search(broker, second["access_token"])
    assert not may_search(broker, first["access_token"])
    assert refresh(broker, client, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert not may_search(broker, second["access_token"])
    assert refresh(broker, client, second["refresh_token"]).status_code == 400


def test_of_many_at_once_one_gets_tokens(broker: SignInServer, client: str, code: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: redeem(broker, client, code).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_refresh_tokens_are_no_access_tokens(broker: SignInServer, client: str, code: str) -> None:
    tokens = redeem(broker, client, code).json()
    assert not may_search(broker, tokens["refresh_token"])
    assert not may_search(broker, code)
    assert refresh(broker, client, tokens["access_token"]).status_code == 400


def test_an_address_that_is_not_verified_is_refused(broker: SignInServer, client: str) -> None:
    with HttpBrowser("unverified@example.com") as browser:
        page = browser.open(asked(broker, client))
        while page.status_code == 200:
            known = {"login": browser.person, "password": "any"} if "login" in page.text else {}
            page = browser.submit(page, **known, **({"decision": "allow"} if "decision" in page.text else {}))
    assert page.status_code == 403
    assert "not verified" in told(page)
    assert not any(url.startswith(REDIRECT) for url in browser.sent)
