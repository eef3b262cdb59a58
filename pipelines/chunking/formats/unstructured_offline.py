"""Keeps unstructured off the network.

Its elements are used and none of its partitioners, which download a spaCy model and guess from it whether a line is a
title.
"""

from __future__ import annotations

import os


def keep_offline() -> None:
    """Call before importing anything of unstructured. Idempotent."""
    os.environ |= {"DO_NOT_TRACK": "1", "UNSTRUCTURED_DISABLE_NOTICE": "1"}
