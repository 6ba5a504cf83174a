"""
``python -m orchd``: the same as the command ``orchd``.
"""

import sys

from orchd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
