"""Packs texts into as few requests as a provider's limits allow. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST_INPUTS = 2_048
"""In one request to OpenAI (https://platform.openai.com/docs/api-reference/embeddings/create)."""
FEWEST_BYTES_PER_TEXT = 512
"""How far a text is shortened for a server that takes less, before its refusal is believed."""


def pack(lengths: Sequence[int], *, most_tokens: int, most_inputs: int) -> Iterator[list[int]]:
    """Positions of texts, request by request, in order.

    `lengths[i]` is the number of tokens of text i. A text longer than `most_tokens` gets a request of its own.
    """
    request: list[int] = []
    tokens = 0
    for position, length in enumerate(lengths):
        if request and (tokens + length > most_tokens or len(request) >= most_inputs):
            yield request
            request, tokens = [], 0
        request.append(position)
        tokens += length
    if request:
        yield request


def cut(text: str, most_bytes: int) -> str:
    """The beginning of `text`, of at most `most_bytes` in UTF-8, ending at a character's end.

    What has no form in UTF-8 (a lone surrogate, as broken JSON leaves it) becomes a question mark.
    """
    encoded = text.encode(errors="replace")
    return encoded[:most_bytes].decode(errors="ignore")


def halve(texts: Sequence[str]) -> list[Sequence[str]]:
    """What to send instead of a request that was too large: halves; of one text its first half, unless it is short."""
    if len(texts) > 1:
        half = (len(texts) + 1) // 2
        return [texts[:half], texts[half:]]
    half = len(texts[0].encode()) // 2
    return [[cut(texts[0], half)]] if half >= FEWEST_BYTES_PER_TEXT else []
