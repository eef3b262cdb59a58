"""Evaluation: how well questions with known answers find their documents, and how that changes."""
