"""What every peer is told. Runs in the peers' environments, which have none of our packages."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

CHUNK_CHARACTERS = 1_000
"""How long a chunk may be: about as many chunks as Headrace makes."""


@dataclass(frozen=True, slots=True)
class PeerArguments:
    corpus: Path
    state: Path
    embeddings: str


def peer_arguments() -> PeerArguments:
    """The options of the command line, which are those of `tests.bench.engine`; the state's folder is made."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--embeddings", required=True)
    told = parser.parse_args()
    told.state.mkdir(parents=True, exist_ok=True)
    return PeerArguments(told.corpus, told.state, told.embeddings)
