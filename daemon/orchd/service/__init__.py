"""
The composition root: builds the daemon from its rooms, keeps it going, and takes it down in order.
"""

from orchd.service.root import serve

__all__ = ["serve"]
