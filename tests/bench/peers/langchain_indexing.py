"""LangChain's indexing API: records of what is indexed in SQLite, vectors in memory."""

from __future__ import annotations

import json
from pathlib import Path

from langchain_classic.indexes import SQLRecordManager
from langchain_core.documents import Document
from langchain_core.indexing import index
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from peer_arguments import CHUNK_CHARACTERS, peer_arguments
from pydantic import SecretStr

CHUNKS_AT_ONCE = 1_000


def main() -> None:
    arguments = peer_arguments()
    embeddings = OpenAIEmbeddings(
        model="stub", base_url=arguments.embeddings, api_key=SecretStr("unused"), check_embedding_ctx_length=False
    )
    records = SQLRecordManager("corpus", db_url=f"sqlite:///{arguments.state / 'records.db'}")
    records.create_schema()
    store = InMemoryVectorStore(embeddings)
    chunks = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=0).split_documents(
        documents(arguments.corpus)
    )
    done = index(
        chunks,
        records,
        store,
        cleanup="full",
        source_id_key="source",
        batch_size=CHUNKS_AT_ONCE,
        key_encoder="sha256",
    )
    print(json.dumps({"points": done["num_added"] + done["num_skipped"]}))


def documents(corpus: Path) -> list[Document]:
    files = sorted(file for file in corpus.rglob("*.*") if file.is_file())
    return [Document(file.read_text(errors="replace"), metadata={"source": str(file)}) for file in files]


main()
