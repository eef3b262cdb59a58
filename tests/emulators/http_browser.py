"""A browser without a screen: it keeps cookies, follows redirects, and fills in the forms of a sign-in."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urljoin

import httpx
from lxml import html


class HttpBrowser:
    """Signs in as one person. `sent` holds the addresses that it was led to, in order."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.http = httpx.Client(timeout=30, event_hooks={"response": [self._trust_loopback]})
        self.sent: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def open(self, url: str, until: str = "\n") -> httpx.Response:
        """Follow redirects; an address that begins with `until` is not asked any more."""
        return self._follow(self.http.get(url), until)

    def submit(self, page: httpx.Response, until: str = "\n", **fields: str) -> httpx.Response:
        """Send the form of a page as it stands, but for `fields`."""
        form = html.fromstring(page.content).forms[0]
        values = {**dict(form.form_values()), **fields}
        return self._follow(
            self.http.post(urljoin(str(page.url), form.action), data=values, headers=_page(page)), until
        )

    def sign_in(self, url: str, until: str) -> str:
        """Open a sign-in, consent, name the person, and go on until the address begins with `until`; returns it."""
        page = self.open(url, until)
        while not page.has_redirect_location:
            forms = [form for form in html.fromstring(page.content).forms if form.method == "POST"]
            if not forms and page.status_code == 200:
                break
            assert forms, f"{page.url} answers {page.status_code}: {page.text}"
            fields = forms[0].fields
            known: dict[str, str] = {"login": self.person, "password": "any"} if "login" in fields else {}
            page = self.submit(page, until, **known, **({"decision": "allow"} if "state" in fields else {}))
        return self.sent[-1]

    def _trust_loopback(self, _: httpx.Response) -> None:
        # As in browsers, cookies marked `Secure` go to loopback without TLS too.
        for cookie in self.http.cookies.jar:
            cookie.secure = False

    def _follow(self, response: httpx.Response, until: str) -> httpx.Response:
        while response.has_redirect_location:
            url = urljoin(str(response.url), response.headers["location"])
            self.sent.append(url)
            if url.startswith(until):
                break
            response = self.http.get(url)
        return response


def _page(page: httpx.Response) -> dict[str, Any]:
    return {"Sec-Fetch-Site": "same-origin", "Origin": f"{page.url.scheme}://{page.url.netloc.decode()}"}
