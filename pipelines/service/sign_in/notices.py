"""The pages that people see while they sign in: whom they let in, and what went wrong."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from pipelines.service.pages import hashes
from pipelines.service.sign_in.redirects import destination
from pipelines.service.sign_in.seal import ClientRequest, SignInAttempt

_TEMPLATE = Template(Path(__file__).with_name("notice.html").read_text(encoding="utf-8"))


def consent_page(request: ClientRequest, attempt: SignInAttempt, public_url: str, action: str) -> HTMLResponse:
    """Asks whether a client may search as whoever signs in next."""
    host, name = urlsplit(public_url).netloc, escape(request.client_name)
    publisher = urlsplit(request.client_id).hostname
    known_by = f"published by {escape(publisher)}" if publisher else "as it calls itself"
    body = f"""<dl>
<dt>Client</dt><dd>{name} <span class="quiet">({known_by})</span></dd>
<dt>You will be sent to</dt><dd>{escape(destination(request.redirect_uri))}</dd>
<dt>Signs you in</dt><dd>Headrace at {escape(host)}</dd>
</dl>
<p>It will search your company’s knowledge as you, and read what you may read.</p>
<p class="quiet">Go on only if you have just asked for this yourself, there.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="state" value="{escape(attempt.state)}">
<button class="main" name="decision" value="allow">Continue</button>
<button name="decision" value="deny">Cancel</button>
</form>"""
    return _page(f"Let {name} search as you?", body, 200)


def trouble_page(detail: str, status: int) -> HTMLResponse:
    """Says what went wrong, and what to do."""
    return _page("You are not signed in", f"<p>{escape(detail)}</p>", status)


def _page(title: str, body: str, status: int) -> HTMLResponse:
    html = _TEMPLATE.substitute(title=title, body=body)
    # No form-action: Chromium applies it to the redirects that follow as well, which lead to the provider and on.
    policy = f"default-src 'none'; style-src {hashes(html, 'style')}; base-uri 'none'; frame-ancestors 'none'"
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # without any, Chromium would hide the origin of the form as well
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, status, headers)
