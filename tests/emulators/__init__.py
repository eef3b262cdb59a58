"""Small stand-ins for what the tests and benchmarks cannot reach: sources, embedding providers."""
