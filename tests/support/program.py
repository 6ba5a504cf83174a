"""
The installed `orchd` program, started as a person starts it.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

#: The entry point beside the interpreter that runs the tests.
PROGRAM = Path(sys.executable).parent / "orchd"
#: What the program is started with: no daemon and no config of whoever runs the tests.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TZ": "UTC", "TERM": "xterm-256color"}

#: Runs the program with these words (and environment variables by keyword) to its end.
Orchd = Callable[..., "subprocess.CompletedProcess[str]"]
