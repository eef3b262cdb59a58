"""The client that requests to an embeddings API go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.settings import OpenAIEmbeddingSettings

if TYPE_CHECKING:
    import openai


def connect(settings: OpenAIEmbeddingSettings) -> openai.OpenAI:
    """A client without retries of its own. It takes nothing but these settings, also where the environment names a key.

    With `api_version` it speaks as Azure's resources do: the key in a header of its own, and the deployment, which is
    the model's name, in the path (https://learn.microsoft.com/azure/ai-foundry/openai/reference).
    """
    import openai

    # A redirect would carry the texts to a host that nobody configured.
    http_client = openai.DefaultHttpxClient(follow_redirects=False)
    # Without a key the client takes the environment's; requests leave out the header that would bear it.
    base_url, key = settings.base_url, settings.api_key.get_secret_value() if settings.api_key else "none"
    if version := settings.api_version:
        return openai.AzureOpenAI(
            api_key=key, base_url=base_url, api_version=version, max_retries=0, http_client=http_client
        )
    return openai.OpenAI(api_key=key, base_url=base_url, max_retries=0, http_client=http_client)
