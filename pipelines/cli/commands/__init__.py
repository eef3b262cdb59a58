"""Commands whose output or options take more than a few lines."""
