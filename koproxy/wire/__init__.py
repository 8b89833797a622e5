"""HTTP/1.1 as bytes: heads parsed and rewritten, framing followed.

Pure: no socket, no reactor, no identity's rules. RFC 9110 and RFC 9112 are the law here, read
strictly: what is ambiguous is refused.
"""
