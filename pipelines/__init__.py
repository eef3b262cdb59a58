"""The stages of Headrace as plain Python: ingest, chunk, embed, index, retrieve."""
