"""How the documentation becomes a site, and how its reference pages are made from the code."""
