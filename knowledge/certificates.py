"""Knows which addresses need the world's certificates; it opens no connection.

Every HTTP client reads them as it is made, which takes up to a third of a second, and most of ours speak plain HTTP to
a server on this machine.
"""


def needed(url: str) -> bool:
    """Say whether a client for `url` has certificates to check: `httpx.Client(verify=needed(url))`."""
    return not url.lower().startswith("http:")
