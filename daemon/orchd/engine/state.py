"""
States of task runs and flow runs, as flow files see them.
"""


class State:
    """
    Root of all states.
    """
