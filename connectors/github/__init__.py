"""GitHub: issues, pull requests, and the text files of the default branch."""
