"""`make bench`: what the engine costs, on 2,000 documents and a loopback embedding API with 80 ms latency.

The documents are made from a seed, or taken from an archive of Markdown, HTML and text files: `make bench
CORPUS=archive.tar.xz`. Figures of different corpora are not to be compared.

Costs are those of whole commands, start of the interpreter included, with every process that they start; the embedding
API is none of them, and shares the machine.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import searching
from tests.bench.corpus_changes import EDITS, delete_files, edit_files, unpack
from tests.bench.costs import Costs, run_counted
from tests.bench.embedding_api import embedding_api, read_counters
from tests.bench.made_corpus import write_corpus


def main() -> None:
    archive = _arguments().corpus
    with tempfile.TemporaryDirectory() as directory, embedding_api() as api:
        corpus = Path(directory) / "corpus"
        unpack(archive, corpus) if archive else write_corpus(corpus)
        print(f"corpus: {archive or 'made from a seed'}", flush=True)
        documents = sum(file.is_file() for file in corpus.rglob("*"))
        state = Path(directory) / "state"
        first = _run(api, corpus, state)
        _show(f"first run, {documents} documents", first, documents)
        unchanged = _run(api, corpus, state, "--full")
        _show("nothing changed", unchanged, documents)
        edit_files(corpus)
        _show(f"{EDITS} edited paragraphs", _run(api, corpus, state, "--full"), documents)
        deleted = delete_files(corpus)
        _show(f"{deleted} documents deleted", _run(api, corpus, state, "--full"), documents)
        left = documents - deleted
        again = _run(api, corpus, Path(directory) / "again")
        _show(f"first run, {left} documents", again, left)
        _killed(corpus, Path(directory) / "killed", again)
        _show("ten times that", _run(api, corpus, Path(directory) / "large", "--copies", "10"), left * 10)
        searching.measure(corpus, Path(directory) / "search")


def _run(api: str, corpus: Path, state: Path, *options: str) -> dict[str, Any]:
    before = read_counters(api)
    costs = run_counted(_command(api, corpus, state, *options))
    figures: dict[str, Any] = json.loads(costs.output.splitlines()[-1])
    after = read_counters(api)
    return figures | {"costs": costs} | {name: after[name] - before[name] for name in ("requests", "inputs")}


def _show(what: str, figures: dict[str, Any], documents: int) -> None:
    costs: Costs = figures["costs"]
    print(
        f"{what}: {costs.cpu_seconds * 1000 / documents:.2f} CPU ms per document, {costs.cpu_seconds:.1f} CPU s, "
        f"{documents / costs.wall_seconds:.0f} documents/s, {costs.largest_mb:.0f} MB in the largest process, "
        f"{costs.sum_mb:.0f} MB in all, "
        f"{figures['points']} points, {figures['requests']} embedding requests, {figures['inputs']} inputs",
        flush=True,
    )
    if figures["report"]["errors"]:
        print(f"  errors: {figures['report']['errors']}")


def _killed(corpus: Path, state: Path, whole: dict[str, Any]) -> None:
    """Kill a first run when half of the inputs are sent that a `whole` one sends, and run it again."""
    inputs = whole["inputs"]
    with embedding_api() as api:
        process = subprocess.Popen(_command(api, corpus, state), stdout=subprocess.DEVNULL)
        while process.poll() is None and read_counters(api)["inputs"] < inputs / 2:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        sent = read_counters(api)["inputs"]
        figures = _run(api, corpus, state)
        repeated = read_counters(api)["repeated"]
    print(
        f"kill -9 after {sent} inputs, then again: {figures['points']} of {whole['points']} points, "
        f"{repeated} inputs paid twice ({100 * repeated / inputs:.2f} %)",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, help="Archive of documents; by default they are made")
    return parser.parse_args()


def _command(api: str, corpus: Path, state: Path, *options: str) -> list[str]:
    paths = ["--corpus", str(corpus), "--state", str(state), "--embeddings", f"{api}/v1"]
    return [sys.executable, "-m", "tests.bench.engine", *paths, *options]


if __name__ == "__main__":
    main()
