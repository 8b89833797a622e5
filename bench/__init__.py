"""Measures koproxy beside other proxies, side by side in one run.

It starts programs and reads what they and the kernel say; nothing of koproxy is imported, so that
what is measured is what people run.
"""
