"""The functions that an expression can call, a library a module.

Each module has its ``OVERLOADS``: the signature that the checker goes by, and what it does.
"""
