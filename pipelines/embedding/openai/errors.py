"""What a failed request to an embeddings API means, and what to do about it.

Statuses and codes: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from connectors.http import retry_after
from pipelines.settings import OpenAIEmbeddingSettings

if TYPE_CHECKING:
    import httpx

MOST_OF_A_MESSAGE = 200
_WORDS_IN = ("message", "detail")
"""OpenAI, vLLM, Ollama and Cohere write `message`, FastAPI and so Voyage `detail`."""
_DIMENSIONS = re.compile("dimensions|matryoshka", re.IGNORECASE)
_ENCODING = re.compile("encoding_format|base64", re.IGNORECASE)


class TransientFailure(Exception):
    """Another attempt can succeed, after `retry_after` seconds where the provider says so.

    `may_be_the_text`: servers also fail like this where they cannot take one of the texts.
    """

    def __init__(self, reason: str, retry_after: float | None = None, *, may_be_the_text: bool = False) -> None:
        self.retry_after = retry_after
        self.may_be_the_text = may_be_the_text
        super().__init__(reason)


class RequestRefused(Exception):
    """No other attempt would succeed; the message says what to change."""


class RequestTooLarge(Exception):
    """RequestRefused perhaps for its size: a smaller request can succeed."""


class EncodingRefused(Exception):
    """The server answers vectors as numbers only (`encoding_format: float`)."""


def unanswered(error: httpx.RequestError) -> TransientFailure:
    """What it means that there was no answer. A text can take a server longer than anybody waits."""
    import httpx

    reason = f"does not answer ({type(error).__name__})"
    return TransientFailure(reason, may_be_the_text=isinstance(error, httpx.TimeoutException))


def classify(
    response: httpx.Response, settings: OpenAIEmbeddingSettings
) -> TransientFailure | RequestRefused | RequestTooLarge | EncodingRefused:
    """What an answer without vectors means. Nothing in it shows the key. Pure but for the clock."""
    status, host, complaint = response.status_code, urlsplit(settings.base_url).hostname, _Complaint.of(response)
    said = f"HTTP {status}{complaint.quoted(settings)}"
    if status == 429 and complaint.code == "insufficient_quota":
        reason = f"{host} says that its quota is used up ({said}); check plan and billing"
        return RequestRefused(f"embedding.api_key: {reason}")
    if status in (408, 409, 424, 425, 429) or status >= 500:
        wait = retry_after(response.headers)
        # 424 is what Hugging Face's server answers where the model itself failed.
        return TransientFailure(f"answered {said}", wait, may_be_the_text=status == 424 or status >= 500)
    if status == 401 and not settings.api_key:
        return RequestRefused(f"embedding.api_key is missing: {host} asks for one (HTTP 401)")
    if status == 401:
        # Without its own words, which may quote the key.
        return RequestRefused(f"embedding.api_key: {host} does not accept the key (HTTP 401)")
    if status == 403:
        return RequestRefused(f"embedding.api_key: {host} does not let the key use {settings.model!r} ({said})")
    if status == 404:
        return RequestRefused(
            f"embedding.model: {host} knows no {settings.model!r} ({said}); if the name is right, "
            "embedding.base_url may lack a path, often /v1"
        )
    if status in (400, 422) and _ENCODING.search(response.text):
        return EncodingRefused(said)
    if status in (400, 422) and settings.send_dimensions and _DIMENSIONS.search(response.text):
        return RequestRefused(f"embedding.send_dimensions: {host} shortens no vectors of {settings.model!r} ({said})")
    if status in (400, 413, 422):
        return RequestTooLarge(f"embedding.model: {host} refuses to embed with {settings.model!r} ({said})")
    return RequestRefused(f"embedding.base_url: {host} answered {said}; is this the address of an embeddings API?")


@dataclass(frozen=True, slots=True)
class _Complaint:
    """A provider's own words, wherever its errors have them, and its `code` for the error; without a page of HTML."""

    words: str = ""
    code: str | None = None

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        try:
            body = response.json()
        except ValueError:
            return cls()
        told = body.get("error", body) if isinstance(body, dict) else body
        if not isinstance(told, dict):
            return cls(told if isinstance(told, str) else "")
        words = next((said for name in _WORDS_IN if isinstance(said := told.get(name), str) and said), "")
        return cls(words, told.get("code"))

    def quoted(self, settings: OpenAIEmbeddingSettings) -> str:
        """Its words, without the key that may stand in them."""
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        words = self.words.replace(key, "***") if key else self.words
        return f": {words[:MOST_OF_A_MESSAGE]}" if words else ""
