"""`headrace init`: from nothing to settings, with the words of what has to be done at each provider."""
