"""The way of a browser through the sign-in: consent, the provider and back; and the search page's session."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipelines.audit import audit
from pipelines.catalog.grants import CODE_SECONDS, Grants
from pipelines.service.request_guard import is_loopback_name
from pipelines.service.sign_in.claims import ClaimRefused, verified_address
from pipelines.service.sign_in.notices import consent_page, trouble_page
from pipelines.service.sign_in.provider import OpenIdProvider, ProviderTrouble
from pipelines.service.sign_in.seal import LIFETIME, ClientRequest, Seal, SignInAttempt
from pipelines.service.sign_in.sessions import SESSION_COOKIE, delete_cookie, is_same_origin, read_session, set_cookie
from pipelines.service_settings import SignInSettings

ATTEMPT_COOKIE = "__Host-headrace-sign-in-"
"""One for each attempt, so that two clients can be let in at the same time."""
BEGIN_AGAIN = "This sign-in is too old, or was begun in another browser. Begin again where you came from."


class BrowserSignIn:
    def __init__(
        self, settings: SignInSettings, public_url: str, provider: OpenIdProvider, grants: Grants, seal: Seal
    ) -> None:
        self._settings = settings
        self._public_url = public_url
        self._provider = provider
        self._grants = grants
        self._seal = seal

    def ask_consent(self, request: Request) -> Response:
        """The page that names a client, for the browser that it binds the attempt to."""
        asked = self._seal.open(request.query_params.get("request", ""), ClientRequest)
        if asked is None:
            return trouble_page(BEGIN_AGAIN, 400)
        attempt = _new_attempt(asked)
        response = consent_page(asked, attempt, self._public_url, request.url.path)
        self._bind(response, attempt)
        return response

    async def take_consent(self, request: Request) -> Response:
        """On to the provider, or back to the client with a refusal."""
        form = await request.form()
        attempt = self._attempt(request, str(form.get("state", "")))
        if attempt is None or attempt.request is None or not is_same_origin(request, self._public_url):
            return trouble_page(BEGIN_AGAIN, 400)
        if form.get("decision") != "allow":
            return self._back(attempt.request, error="access_denied", error_description="Refused by the person.")
        return await to_thread.run_sync(self._to_provider, attempt)

    def sign_in(self, request: Request) -> Response:
        """The search page's own sign-in."""
        if _is_other_loopback(request.headers.get("host", ""), urlsplit(self._public_url).netloc):
            # The provider sends people back to `public_url`, where the cookies of another name are not shown.
            return RedirectResponse(f"{self._public_url}/sign-in", 303, {"Cache-Control": "no-store"})
        attempt = _new_attempt(None)
        response = self._to_provider(attempt)
        self._bind(response, attempt)
        return response

    def come_back(self, request: Request) -> Response:
        """Somebody returns from the provider."""
        given = request.query_params
        attempt = self._attempt(request, given.get("state", ""))
        if attempt is None or given.get("iss", self._settings.issuer) != self._settings.issuer:
            return trouble_page(BEGIN_AGAIN, 400)
        try:
            response = self._complete(attempt, given.get("code", ""), given.get("error", ""))
        except ClaimRefused as refused:
            response = self._refuse(attempt, str(refused), 403)
        except ProviderTrouble as trouble:
            response = self._refuse(attempt, str(trouble), 502)
        delete_cookie(response, ATTEMPT_COOKIE + attempt.state)
        return response

    def sign_out(self, request: Request) -> Response:
        """The session ends here, at the server: who kept its cookie is signed in no longer."""
        if not is_same_origin(request, self._public_url):
            return JSONResponse({"detail": "Sign out on the search page."}, 403)
        session = read_session(request, self._public_url, self._grants)
        if session:
            self._grants.revoke(session.id)
            audit("sign_out", person=session.person)
        response = Response(status_code=204)
        delete_cookie(response, SESSION_COOKIE)
        return response

    def tell_person(self, request: Request) -> Response:
        """Who is signed in on the search page."""
        session = read_session(request, self._public_url, self._grants)
        body, status = ({"person": session.person}, 200) if session else ({"detail": "Nobody is signed in."}, 401)
        return JSONResponse(body, status, headers={"Cache-Control": "no-store"})

    def _to_provider(self, attempt: SignInAttempt) -> Response:
        try:
            url = self._provider.authorization_url(attempt)
        except ProviderTrouble as trouble:
            return self._refuse(attempt, str(trouble), 502)
        return RedirectResponse(url, 303, {"Cache-Control": "no-store"})

    def _complete(self, attempt: SignInAttempt, code: str, error: str) -> Response:
        if not code:
            raise ClaimRefused(f"the provider answers {error[:100] or 'without a code'}")
        claims = self._provider.redeem(code, attempt)
        person = verified_address(claims, self._settings)
        request, now = attempt.request, datetime.now(UTC)
        audit("sign_in", person=person, client=request.client_id if request else None)
        return self._to_client(request, person, now) if request else self._to_page(person, now)

    def _to_client(self, request: ClientRequest, person: str, now: datetime) -> Response:
        code = self._grants.begin(
            person,
            "code",
            client=request.client_id,
            client_name=request.client_name,
            request=request.model_dump(mode="json"),
            now=now,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
        )
        return self._back(request, code=code)

    def _to_page(self, person: str, now: datetime) -> Response:
        lifetime = timedelta(hours=self._settings.session_hours)
        session = self._grants.begin(person, "session", now=now, expires_at=now + lifetime)
        response = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        set_cookie(response, SESSION_COOKIE, session, int(lifetime.total_seconds()))
        return response

    def _back(self, request: ClientRequest, **answer: str) -> Response:
        """To the client's redirect, with its state, and with the issuer (RFC 9207)."""
        state = {"state": request.state} if request.state is not None else {}
        url = URL(request.redirect_uri).include_query_params(**answer, **state, iss=self._public_url)
        return RedirectResponse(str(url), 302, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    def _refuse(self, attempt: SignInAttempt, reason: str, status: int) -> Response:
        client = attempt.request.client_id if attempt.request else None
        audit("sign_in_refused", client=client, reason=reason)
        return trouble_page(reason[:1].upper() + reason[1:] + ".", status)

    def _bind(self, response: Response, attempt: SignInAttempt) -> None:
        set_cookie(response, ATTEMPT_COOKIE + attempt.state, self._seal.close(attempt), LIFETIME)

    def _attempt(self, request: Request, state: str) -> SignInAttempt | None:
        """The attempt of this browser that a state belongs to."""
        attempt = self._seal.open(request.cookies.get(ATTEMPT_COOKIE + state, ""), SignInAttempt)
        return attempt if attempt and secrets.compare_digest(attempt.state.encode(), state.encode()) else None


def _is_other_loopback(asked: str, public: str) -> bool:
    """Whether this machine was asked by another name of its own than `public`. No other name is compared: what a proxy
    asks for is its own affair, and could lead round and round."""
    return asked != public and is_loopback_name(asked) and is_loopback_name(public)


def _new_attempt(request: ClientRequest | None) -> SignInAttempt:
    return SignInAttempt(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(32),
        request=request,
    )
