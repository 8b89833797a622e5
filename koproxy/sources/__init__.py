"""What is fetched and kept fresh: discovery documents, key sets, reviews, files.

Nothing in here touches a request on its way.
"""
