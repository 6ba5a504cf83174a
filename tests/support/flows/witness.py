"""
A flow that keeps something in each folder for temporary files, counts aloud until it is released, and then looks
whether what it kept is still there.
"""

import os
import subprocess
import threading
from pathlib import Path

from orchd import Flow, Parameter, task

FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


@task
def keep(name: str) -> None:
    """
    Leave a word in each folder.
    """
    for folder in FOLDERS:
        Path(folder, name).write_text("still here")


@task
def leave(*, child: bool) -> None:
    """
    Start, if asked to, a process that does not end with its run: it has a session of its own and watches nobody.
    """
    if child:
        subprocess.Popen(["sleep", "infinity"], start_new_session=True)


@task
def count(name: str) -> int:
    """
    Print one line after the other until the file that releases this run is there.
    """
    pause = threading.Event()
    number = 0
    while not Path(os.environ["ORCHD_RESULTS_DIR"], f"{name}.go").exists():
        number += 1
        print(f"line {number}")
        pause.wait(0.01)

    return number


@task
def tell(name: str, lines: int) -> None:
    """
    Print what is left of the words, and how many lines there were.
    """
    for folder in FOLDERS:
        print(f"{folder}: {Path(folder, name).read_text()}")
    print(f"{lines} lines")


with Flow("witness") as flow:
    name = Parameter("name")
    kept = keep(name)
    left = leave(child=Parameter("child", default=False))
    tell(name, count(name, upstream_tasks=[kept, left]))
