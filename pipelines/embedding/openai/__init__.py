"""Embeddings from an API of OpenAI's form."""
