"""Who is asking: tokens, issuers' rules and impersonation, as pure functions and tables.

Nothing in here opens a socket, knows a reactor or reads a clock: what must be fetched is named in
an answer, and the time comes in as an argument.
"""
