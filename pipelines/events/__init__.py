"""Events: from a webhook into the inbox, and from the inbox into the index."""
