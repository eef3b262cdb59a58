"""The stages that a document passes: ingest, chunk, vectors, publish. Each can be killed and run again."""
