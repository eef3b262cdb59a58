"""What GitHub sends, as far as it is read here: typed, and lenient object by object.

Times stay as GitHub writes them, and `parse_time` reads them where they are needed: one that is none is the trouble
of its own object. The package `githubkit` has models of everything, but takes more than a second of CPU until it has
parsed a first webhook, and refuses objects that lack what other servers of this API leave out.
"""
