"""
The rig of the scheduler's tests.
"""

from scheduler.conftest import rig

__all__ = ["rig"]
