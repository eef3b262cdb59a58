"""One engine run in a process of its own: connector's output to published index. Prints its figures as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import OpenAIEmbeddingSettings, Settings
from tests.bench.corpus import UNIT, FolderSource

CONNECTION = GitHubConnection(id="bench", source="github", token=SecretStr("unused"))


def settings_for(state: Path, embeddings_url: str, dimensions: int) -> Settings:
    embedding = OpenAIEmbeddingSettings(
        provider="openai",
        model="stub",
        dimensions=dimensions,
        base_url=embeddings_url,
        api_key=SecretStr("unused"),
    )
    return Settings(directory=state, embedding=embedding)


def main() -> None:
    arguments = _arguments()
    settings = settings_for(arguments.state, arguments.embeddings, arguments.dimensions)
    with Services(settings) as services:
        services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        source = FolderSource(arguments.corpus, arguments.copies)
        report = sync_unit(
            services, CONNECTION, source, UNIT, SyncOptions(mode="full" if arguments.full else "changes")
        )
        info = publish(services)
    figures = {
        "points": info.points,
        "report": report.as_json(),
    }
    print(json.dumps(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--embeddings", required=True, help="Base URL of an OpenAI-compatible API")
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="Also remove what is gone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
