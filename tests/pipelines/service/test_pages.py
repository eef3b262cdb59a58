"""The pages in a real browser: typed into and clicked, at two widths, light and dark, and by rule of accessibility."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import SecretStr

from connectors.contract import Failed
from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, CONNECTION
from tests.pipelines.service.serving import app_of, served

CHROMIUM = shutil.which("chromium")
OPERATOR_KEY = "a-key-for-operators-alone"
TAG = "rivers, mills"
GENERAL = Unit("C99590B0E4B", "#general", "https://acme.test/general")
COMMAND = "headrace sync" + " --wider-than-a-phone" * 8
TABLE = f"""\
## Thresholds

| river | alarm |
|---|---|
| Mill race | 2.4 m |

- open the **sluice**
- call <b onclick="document.title='broken'">the keeper</b> [now](javascript:alert(1))

```sh
{COMMAND}
```

![a gauge](https://elsewhere.test/gauge.png) [the plan](https://acme.test/plan)
"""


@pytest.fixture(scope="module")
def url(services: Services) -> Iterator[str]:
    settings = services.settings.model_copy(update={"operator_key": SecretStr(OPERATOR_KEY)})
    source = MemorySource()
    about = {"readers": ("public",), "title": "Gauges of the mill race", "unit": GENERAL.id, "tags": (TAG, "bug")}
    source.put(document(40, content=TABLE, url="https://acme.test/gauges", **about))
    source.put(Failed("github:acme/broken", "Broken plan", "answered 500"))
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [Unit("unit", "Unit"), GENERAL])
    sync_unit(services, CONNECTION, source, GENERAL)
    publish(services)
    with served(app_of(services, settings)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("THE PAGES ARE NOT TESTED: no chromium on PATH")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide and light", "narrow and dark"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    # The tool that looks for barriers is a script of its own, which the page's policy would refuse.
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, base_url=url, bypass_csp=True
    )
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("requestfailed", lambda one: errors.append(one.url))
    yield opened
    context.close()
    assert errors == []


def ask(page: Page, question: str) -> None:
    page.goto(f"/#key=people-key&user={ADA}")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type(question)
    page.keyboard.press("Enter")
    expect(page.locator("#results > li").first).to_be_visible()


def barriers(page: Page) -> list[str]:
    return [one["id"] for one in Axe().run(page).response["violations"]]


def test_a_question_that_is_typed_is_answered_with_names_and_rendered_passages(page: Page) -> None:
    ask(page, "alarm thresholds of the mill race")
    first = page.locator("#results > li").first
    expect(first.get_by_role("link", name="Gauges of the mill race")).to_have_attribute(
        "href", "https://acme.test/gauges"
    )
    expect(first.locator(".place")).to_contain_text("#general")
    expect(first).not_to_contain_text(GENERAL.id)
    first.get_by_role("button", name="Show all").click()
    expect(first.locator("td", has_text="2.4 m")).to_be_visible()
    expect(first.locator("li", has_text="sluice").locator("strong")).to_have_text("sluice")
    expect(first.locator("pre code")).to_have_text(f"{COMMAND}\n")
    expect(first.get_by_role("link", name="the plan")).to_have_attribute("rel", "noreferrer noopener")
    assert first.locator("[onclick], img, a[href^=javascript]").count() == 0
    assert page.title() == "Headrace"
    expect(page.locator("#fresh")).to_contain_text("GitHub as of")
    assert barriers(page) == []


@pytest.mark.one_case
def test_a_link_with_a_question_opens_on_its_answer_and_leaves_no_key_in_the_address(page: Page) -> None:
    page.goto(f"/#key=people-key&user={ADA}&q=alarm%20thresholds%20of%20the%20mill%20race")
    expect(page.locator("#results > li").first).to_contain_text("Gauges of the mill race")
    expect(page.locator("#query")).to_have_value("alarm thresholds of the mill race")
    assert "key" not in page.url


@pytest.mark.one_case
def test_a_link_that_is_opened_where_the_page_is_open_counts(page: Page) -> None:
    ask(page, "certificate expired")
    shown = page.locator("#results > li")
    before = shown.count()
    page.goto("/#key=people-key&user=stranger@example.com")
    expect(page.locator("#status")).to_contain_text("no source knows the person who asks")
    assert (page.locator("#user").input_value(), shown.count() < before) == ("stranger@example.com", True)
    assert "key" not in page.url


@pytest.mark.one_case
def test_a_value_with_a_comma_is_completed_and_asked_for(page: Page) -> None:
    ask(page, "alarm thresholds certificate")
    page.get_by_text("Filters", exact=True).click()
    field = page.get_by_label("Tag", exact=True)
    field.fill("bug, rivers")
    expect(page.locator("#tags-known option")).to_have_attribute("value", f'bug, "{TAG}"')
    field.fill(f'"{TAG}"')
    field.blur()
    expect(page.locator("#status")).to_contain_text("1 document in")
    expect(page.locator("#results > li")).to_have_count(1)


@pytest.mark.one_case
def test_the_keyboard_alone_is_enough(page: Page) -> None:
    ask(page, "certificate")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results > li h2 a").first).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    expect(page.locator("#query")).to_have_value("certificate")
    page.keyboard.type("/")
    expect(page.locator("#query")).to_have_value("certificate/")
    page.keyboard.press("Escape")
    page.keyboard.type("sluice")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("document")


def test_filters_complete_from_what_there_is_and_say_what_there_is_not(page: Page) -> None:
    ask(page, "certificate")
    page.get_by_text("Filters", exact=True).click()
    unit = page.get_by_label("In (channel, repository, drive, page)")
    unit.type("#uni")
    expect(page.locator("#units-known option")).to_have_attribute("value", "Unit")
    unit.fill("gen")
    expect(page.locator("#units-known option")).to_have_attribute("value", "#general")
    unit.fill("#general")
    page.keyboard.press("Enter")
    expect(page.locator("#results > li")).to_have_count(1)
    unit.fill("generol")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("near it: #general")
    assert barriers(page) == []


@pytest.mark.one_case
def test_why_a_document_was_found_names_the_words_that_were_taken_for_a_time(page: Page) -> None:
    ask(page, "alarm thresholds of last week")
    first = page.locator("#results > li").first
    first.get_by_role("button", name="Why this?").click()
    expect(first.locator("p.why")).to_contain_text("“last week” was taken for a time, which leaves")
    expect(first.locator("p.why")).to_contain_text("by words number 1")


@pytest.mark.one_case
def test_what_somebody_says_of_an_answer_is_kept(page: Page, services: Services) -> None:
    ask(page, "alarm thresholds")
    page.locator("#results > li").first.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.locator("#results > li").first).to_contain_text("Noted, thank you.")
    given = services.catalog.feedback.all()[-1]
    assert (given.query, given.rating, given.person) == ("alarm thresholds", "good", ADA)


def test_operators_see_what_is_indexed_and_what_has_failed_and_nobody_else_does(page: Page, url: str) -> None:
    page.goto("/sources")
    page.get_by_label("Key of operators").fill("another-key-than-that")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#status")).to_contain_text("operator_key")
    page.get_by_label("Key of operators").fill(OPERATOR_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("tr", has_text="#general").locator("td").first).to_have_text("1")
    page.get_by_text("Documents that are skipped or have failed: 1").click()
    expect(page.get_by_text(re.compile("failed: .*: answered 500"))).to_be_visible()
    assert barriers(page) == []
    for key in ("people-key", "x"):
        assert httpx.get(f"{url}/page/sources", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_the_reference_of_the_api_has_no_barrier(page: Page) -> None:
    page.goto("/docs")
    expect(page.locator("section").first).to_be_visible()
    assert barriers(page) == []


@pytest.mark.parametrize(("path", "body"), [("/page/passages", {"texts": ["a"]}), ("/page/freshness", None)])
def test_what_the_page_asks_is_for_those_who_are_known(url: str, path: str, body: Any) -> None:
    method = "POST" if body else "GET"
    assert httpx.request(method, f"{url}{path}", json=body).status_code == 401
    bearer = {"Authorization": "Bearer people-key"}
    assert httpx.request(method, f"{url}{path}", json=body, headers=bearer).status_code == 200


def test_without_a_key_of_operators_there_is_no_such_page(services: Services) -> None:
    with served(app_of(services)) as plain:
        assert httpx.get(f"{plain}/sources").status_code == 404
        assert "/sources" not in httpx.get(plain).text


@pytest.mark.parametrize("heavy", ["[" * 50_000, "*a_" * 16_000], ids=["brackets", "emphasis"])
def test_a_passage_that_takes_long_to_render_is_shown_as_it_is(url: str, heavy: str) -> None:
    started = time.monotonic()
    bearer = {"Authorization": "Bearer people-key"}
    answer = httpx.post(f"{url}/page/passages", json={"texts": [heavy, "**bold**"] * 4}, headers=bearer, timeout=60)
    plain, rendered = answer.json()["html"][-2:]
    assert (plain, rendered) == (f'<p class="plain">{heavy}</p>', "<p><strong>bold</strong></p>\n")
    assert time.monotonic() - started < 3


def test_how_fresh_sources_are_is_told_of_those_that_a_key_is_for(url: str) -> None:
    def told(key: str) -> set[str]:
        answer = httpx.get(f"{url}/page/freshness", headers={"Authorization": f"Bearer {key}"})
        return {one["source"] for one in answer.json()}

    assert (told("people-key"), told("narrow-key")) == ({"github"}, set())
