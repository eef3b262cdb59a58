"""What can be seen of a token before anybody is asked: that it is none, or is one for something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_QUOTES = "\"'`“”„‘’"


def check_token(text: str, unfit: Mapping[str, str]) -> None:
    """Raises ValueError for what can be no token, and for one whose beginning is among `unfit`, with what stands there.

    JSON is left alone: whoever takes it looks inside. A token is never repeated in a message.
    """
    if text.startswith("{"):
        return
    if text.lower().startswith("bearer "):
        raise ValueError("begins with `Bearer`: leave the word out")
    if text.startswith("-----BEGIN"):
        raise ValueError("is a private key, and no token")
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        raise ValueError("has quotation marks around it: leave them out")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError(
            "has white space or other characters inside that no token has: was more copied than the token?"
        )
    for beginning, reason in unfit.items():
        if text.startswith(beginning):
            raise ValueError(reason)
