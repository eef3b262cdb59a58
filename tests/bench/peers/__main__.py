"""`make bench-peers`: what a first run costs, and one that finds nothing new or a few edits, beside other programs.

LangChain's indexing, CocoIndex and Pathway read the same documents and pay the same embedding API, in environments of
their own; one that cannot be installed is left out. They cut text by length and keep the vectors in memory; Headrace
cuts by the documents' structure, and writes a landing, a catalog and an index on disk, with the words besides. All run
in turns, so that whatever else the machine does meets each of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.corpus_changes import EDITS, edit_files, unpack
from tests.bench.costs import run_counted
from tests.bench.embedding_api import embedding_api, read_counters
from tests.bench.made_corpus import KINDS, write_corpus
from tests.paths import ROOT

ENVIRONMENTS = ROOT / ".venv" / "peers"
HERE = Path(__file__).parent
PEERS = {
    "LangChain": ("langchain", "langchain_indexing.py"),
    "CocoIndex": ("cocoindex", "cocoindex_flow.py"),
    "Pathway": ("pathway", "pathway_pipeline.py"),
}
"""By name: the environment, whose requirements stand beside this file, and the program."""
ROUNDS = 3
SILENT = {"COCOINDEX_DISABLE_USAGE_TRACKING": "1"}
"""No benchmark tells the makers of a program that it runs."""


@dataclass(frozen=True, slots=True)
class Step:
    """Costs of one run; all processes counted."""

    cpu_seconds: float
    wall_seconds: float
    largest_mb: float
    requests: int
    inputs: int


def main() -> None:
    arguments = _arguments()
    os.environ |= SILENT
    programs = {"Headrace": [sys.executable, "-m", "tests.bench.engine"], **_installed()}
    measured: dict[tuple[str, str], list[Step]] = {}
    for number in range(1, arguments.rounds + 1):
        for name, program in programs.items():
            for what, step in _round(program, arguments):
                measured.setdefault((what, name), []).append(step)
            print(f"round {number} of {arguments.rounds}: {name}", flush=True)
    _show(measured)


def _round(program: Sequence[str], arguments: argparse.Namespace) -> Iterator[tuple[str, Step]]:
    with tempfile.TemporaryDirectory() as directory, embedding_api() as api:
        corpus, state = Path(directory) / "corpus", Path(directory) / "state"
        if arguments.corpus:
            unpack(arguments.corpus, corpus)
        else:
            write_corpus(corpus, {kind: count * arguments.documents // 2_000 for kind, count in KINDS.items()})
        command = [*program, "--corpus", str(corpus), "--state", str(state), "--embeddings", f"{api}/v1"]
        yield "first run", _run(command, api)
        yield "nothing changed", _run(command, api)
        edit_files(corpus)
        yield f"{EDITS} edited paragraphs", _run(command, api)


def _run(command: Sequence[str], api: str) -> Step:
    before = read_counters(api)
    costs = run_counted(command)
    after = read_counters(api)
    requests, inputs = (after[one] - before[one] for one in ("requests", "inputs"))
    return Step(costs.cpu_seconds, costs.wall_seconds, costs.largest_mb, requests, inputs)


def _show(measured: Mapping[tuple[str, str], Sequence[Step]]) -> None:
    """Medians of all rounds."""
    for what in dict.fromkeys(what for what, _ in measured):
        print(f"\n{what}: CPU s, wall s, MB in the largest process, embedding requests, inputs")
        for name, steps in ((name, steps) for (at, name), steps in measured.items() if at == what):
            cpu, wall, largest, requests, inputs = (
                median(getattr(step, field) for step in steps)
                for field in ("cpu_seconds", "wall_seconds", "largest_mb", "requests", "inputs")
            )
            print(f"  {name:10} {cpu:7.1f} {wall:7.1f} {largest:6.0f} {requests:6.0f} {inputs:7.0f}")


def _installed() -> dict[str, list[str]]:
    """The programs of those peers that can be installed."""
    programs = {}
    for name, (environment, program) in PEERS.items():
        try:
            programs[name] = [str(_install(environment)), str(HERE / program)]
        except subprocess.CalledProcessError as error:
            print(f"{name} is left out, as it cannot be installed: {error.stderr.strip().splitlines()[-1]}", flush=True)
    return programs


def _install(environment: str) -> Path:
    """Returns its Python."""
    folder, requirements = ENVIRONMENTS / environment, HERE / f"{environment}.txt"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < requirements.stat().st_mtime:
        _quietly([sys.executable, "-m", "venv", str(folder)])
        _quietly([str(python), "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", str(requirements)])
        stamp.touch()
    return python


def _quietly(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, help="Archive of documents; by default they are made")
    parser.add_argument("--documents", type=int, default=2_000, help="How many are made")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
