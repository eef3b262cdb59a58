"""Where requests to an embeddings API go, and what they bear."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.settings import OpenAIEmbeddingSettings

if TYPE_CHECKING:
    import httpx


def connect(settings: OpenAIEmbeddingSettings) -> httpx.Client:
    """A client that bears the settings' key, to nobody but their `base_url`."""
    import httpx

    from connectors.http import trusted

    return httpx.Client(
        base_url=settings.base_url,
        headers=_key(settings),
        params={"api-version": settings.api_version} if settings.api_version else None,
        verify=trusted(),
        # A redirect would carry the texts to a host that nobody configured.
        follow_redirects=False,
    )


def embeddings_path(settings: OpenAIEmbeddingSettings) -> str:
    """Of requests, below `base_url`. With `api_version` that of Azure's resources: the deployment is the model's name
    (https://learn.microsoft.com/azure/ai-foundry/openai/reference)."""
    return f"/deployments/{quote(settings.model, safe='')}/embeddings" if settings.api_version else "/embeddings"


def _key(settings: OpenAIEmbeddingSettings) -> dict[str, str]:
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    if settings.api_version:
        return {"api-key": key}
    return {"Authorization": f"Bearer {key}"} if key else {}
