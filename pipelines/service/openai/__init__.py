"""OpenAI's vector-store search, answered from the index."""
