"""
The flow: tasks and edges, collected in a ``with`` block.
"""


class Flow:
    """
    A named set of tasks and of edges between them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
