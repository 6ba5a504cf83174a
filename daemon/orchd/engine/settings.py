"""
Settings that a flow run in a terminal takes from the environment.
"""

import os


def checkpointing_wanted() -> bool:
    """
    True when ``ORCHD__FLOWS__CHECKPOINTING`` asks for results to be written. The daemon's runs always write them.
    """
    return os.environ.get("ORCHD__FLOWS__CHECKPOINTING", "").strip().lower() in ("true", "1", "yes")


def log_level() -> str:
    """
    Return the least level that is shown: ``ORCHD__LOGGING__LEVEL``, or INFO.
    """
    return os.environ.get("ORCHD__LOGGING__LEVEL", "").strip().upper() or "INFO"
