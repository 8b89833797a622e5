"""The TLS that clients meet: which certificate they are shown, and whose certificate they may show.

Made of flags and files, which are read again while koproxy serves; nothing in here listens.
"""
