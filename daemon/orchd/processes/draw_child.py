"""
Draws one picture: DOT on stdin, SVG on stdout. A process of its own, as Graphviz is C code with a big appetite.
"""

import resource
import sys

import pygraphviz

#: Bytes of memory that a picture may take; beyond it this process ends, and nothing else.
_MEMORY = 1024**3


def main() -> None:
    """
    Draw, and end.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format="svg", prog="dot"))


if __name__ == "__main__":
    main()
