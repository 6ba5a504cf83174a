"""
Flows that leave evidence of what they really did in a file of their own, which no part of orchd reads or writes.
"""

from dataclasses import dataclass
from pathlib import Path

#: Begins a flow file: ``note(word)`` appends one line in one write, and nothing is noted while a file is described.
PRELUDE = '''
import os, signal, subprocess, sys, threading, time
from datetime import timedelta
import orchd
from orchd import Flow, Parameter, task

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = os.environ.get("ORCHD_RUN_KEY")

def note(word):
    if KEY is not None:
        fd = os.open(os.path.join(os.path.dirname(HERE), "evidence"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        line = f"{KEY} {os.environ['ORCHD_RUN_ID']} {os.getpid()} {time.time_ns() // 1000} {word}\\n"
        os.write(fd, line.encode())
        os.close(fd)

def until(name):
    """Wait until the test makes the file *name*."""
    pause = threading.Event()
    while not os.path.exists(os.path.join(os.path.dirname(HERE), name)):
        pause.wait(0.01)

note("entered")
'''

#: Prints numbered lines and notes each; waits in between for nobody.
TICKER = (
    PRELUDE
    + """
@task
def work():
    for number in range(3):
        print(f"line {number}")
        note(f"line {number}")

with Flow("ticker") as flow:
    work()
"""
)

#: Counts aloud until the file ``go`` (or the one that it is told) is there.
COUNTER = (
    PRELUDE
    + """
@task
def count(go):
    pause = threading.Event()
    number = 0
    while not os.path.exists(os.path.join(os.path.dirname(HERE), go)):
        print(f"line {number}")
        note(f"line {number}")
        number += 1
        pause.wait(0.005)

with Flow("counter") as flow:
    count(Parameter("go", default="go"))
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    One line of the evidence.
    """

    key: str
    run: str
    pid: int
    at_us: int
    word: str


def evidence(home: Path) -> list[Note]:
    """
    Return what was noted, in the order in which it happened.
    """
    file = home / "evidence"
    if not file.exists():
        return []
    notes = []
    for line in file.read_text().splitlines():
        key, run, pid, at_us, word = line.split(" ", 4)
        notes.append(Note(key=key, run=run, pid=int(pid), at_us=int(at_us), word=word))
    return notes
