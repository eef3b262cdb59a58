"""The search page signs people in: in a real browser, through a real provider, and without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lxml import html
from playwright.sync_api import Page, expect, sync_playwright

from pipelines.service.sign_in.sessions import SESSION_COOKIE
from tests.emulators.http_browser import HttpBrowser
from tests.pipelines.service.conftest import ADA, SEES
from tests.pipelines.service.sign_in.conftest import SignInServer

CHROMIUM = shutil.which("chromium")
FROM_THE_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    if not CHROMIUM:
        pytest.skip("THE SIGN-IN OF THE PAGE IS NOT TESTED: no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.fixture
def session(broker: SignInServer) -> dict[str, str]:
    """The cookie of somebody who has signed in."""
    with HttpBrowser(ADA) as browser:
        browser.sign_in(f"{broker.url}/sign-in", f"{broker.url}/\n")
        return {SESSION_COOKIE: browser.http.cookies[SESSION_COOKIE]}


def ask(server: SignInServer, cookies: dict[str, str], headers: dict[str, str] = FROM_THE_PAGE) -> int:
    with httpx.Client(cookies=cookies, headers=headers) as http:
        return http.post(f"{server.url}/v1/search", json={"query": "certificate"}).status_code


def test_somebody_signs_in_asks_and_signs_out(broker: SignInServer, page: Page) -> None:
    page.goto(broker.url)
    assert page.locator("#key, #user").count() == 0
    page.get_by_role("link", name="Sign in").click()
    page.locator("[name=login]").fill(ADA)
    page.locator("[name=password]").fill("any")
    page.locator("[type=submit]").click()
    page.locator("[type=submit]").click()  # the provider asks whether Headrace may know
    expect(page.locator("#person")).to_have_text(f"Signed in as {ADA}")
    page.keyboard.type("certificate has expired")
    page.keyboard.press("Enter")
    expect(page.locator("#results li")).to_have_count(len(SEES[ADA]))
    (cookie,) = [one for one in page.context.cookies() if one["name"] == SESSION_COOKIE]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#person")).to_have_text("You are not signed in.")
    expect(page.locator("#results li")).to_have_count(0)
    assert ask(broker, {SESSION_COOKIE: cookie["value"]}) == 401


def test_a_sign_in_by_another_name_of_this_machine_goes_on_at_the_public_one(broker: SignInServer) -> None:
    with HttpBrowser(ADA) as browser:
        browser.sign_in(f"{broker.url.replace('127.0.0.1', 'localhost')}/sign-in", f"{broker.url}/\n")
        session = {SESSION_COOKIE: browser.http.cookies[SESSION_COOKIE]}
    assert ask(broker, session) == 200
    for host in ("[::1", "headrace.internal"):  # what is no name of this machine is left to the proxy
        begun = httpx.get(f"{broker.url}/sign-in", headers={"Host": host})
        assert (begun.status_code, begun.headers["location"].startswith(broker.url)) == (303, False)


def test_the_page_has_neither_key_nor_name_where_people_sign_in(broker: SignInServer, url: str) -> None:
    signed, keyed = (html.fromstring(httpx.get(one).content) for one in (broker.url, url))
    assert not signed.xpath("//*[@id='key' or @id='user']")
    assert signed.xpath("//a[@href='/sign-in']")
    assert keyed.xpath("//*[@id='key']")
    assert not keyed.xpath("//a[@href='/sign-in']")
    assert "The key says who asks" in keyed.xpath("string(//form)")


def test_a_session_counts_on_the_page_alone(broker: SignInServer, session: dict[str, str]) -> None:
    assert ask(broker, session) == 200
    assert ask(broker, session, {"Origin": broker.url}) == 200
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}):
        assert ask(broker, session, headers) == 401
    assert ask(broker, session, {"Origin": "https://evil.example"}) in (401, 403)
    with httpx.Client(cookies=session, headers=FROM_THE_PAGE) as http:
        assert http.post(broker.mcp, json={}).status_code == 401


def test_a_session_that_has_ended_at_the_server_is_worth_nothing(broker: SignInServer, session: dict[str, str]) -> None:
    with httpx.Client(base_url=broker.url, cookies=session) as http:
        assert http.get("/sign-in/person", headers=FROM_THE_PAGE).json() == {"person": ADA}
        assert http.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert ask(broker, session) == 200
        assert http.post("/sign-out", headers=FROM_THE_PAGE).status_code == 204
    assert ask(broker, session) == 401


def test_a_session_is_no_bearer_token(broker: SignInServer, session: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {session[SESSION_COOKIE]}"}
    assert httpx.post(f"{broker.url}/v1/search", headers=headers, json={"query": "certificate"}).status_code == 401
