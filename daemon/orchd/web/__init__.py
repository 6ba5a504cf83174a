"""
The HTTP API over the daemon's Unix socket. It reads through ``store.queries`` and acts through :class:`Daemon`.
"""
