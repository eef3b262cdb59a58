"""Looking around without a question: what there is, what is in it, what has changed, and what belongs together."""
