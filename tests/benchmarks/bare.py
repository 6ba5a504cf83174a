"""
The bare limits that need a process of their own; standard library only. ``python bare.py timer|idle [ROUNDS]``.
"""

import asyncio
import json
import os
import sqlite3
import sys
import threading
import time


def now_ns() -> int:
    """
    Return the wall clock in nanoseconds.
    """
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def timer(rounds: int) -> None:
    """
    Sleep until an instant, fork, and have the child say how many milliseconds late it is; print all of them.
    """
    lateness = []
    pause = threading.Event()
    for _ in range(rounds):
        due_ns = now_ns() + 50_000_000
        reader, writer = os.pipe()
        while (left_ns := due_ns - now_ns()) > 0:
            pause.wait(left_ns / 1e9)
        if os.fork() == 0:
            os.write(writer, b"%d" % (now_ns() - due_ns))
            os._exit(0)
        os.wait()
        lateness.append(int(os.read(reader, 64)) / 1e6)
        os.close(reader)
        os.close(writer)
    print(json.dumps(lateness), flush=True)


def idle() -> None:
    """
    Be an asyncio program with a SQLite file open and a timer a second, until the input ends.
    """

    async def live() -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(0, ended.set)
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), 1)
            except TimeoutError:
                connection.execute("SELECT 1 FROM t LIMIT 1").fetchone()

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    print("ready", flush=True)
    asyncio.run(live())
    connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "timer":
        timer(int(sys.argv[2]))
    else:
        idle()
