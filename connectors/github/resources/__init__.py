"""The parts of a repository."""
