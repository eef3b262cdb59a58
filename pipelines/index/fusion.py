"""How hybrid search fuses its dense and its lexical leg, in both stores."""

from __future__ import annotations

RRF_K = 60
"""How slowly reciprocal rank fusion lets ranks fade; 60 is the customary value."""


def candidates(limit: int) -> int:
    """How many points each leg hands to the fusion."""
    return max(limit * 4, 50)
