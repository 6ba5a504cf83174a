"""
The files that ``orchd init`` writes.
"""

from typing import Final

ORCHD_TOML: Final = """\
# orchd reads every *.toml file of this folder. Whatever is commented out here shows its default.

[daemon]
# socket = "/run/user/1000/orchd.sock"   # where commands reach the daemon; else in the state folder
# store = "sqlite"                       # or "postgresql+psycopg://user@host/database"
# state_dir = "~/.local/state/orchd"     # the run store, and the files of runs
# timezone = "Europe/Vienna"             # of schedules that name none; default: the machine's
# listen = "127.0.0.1:8420"              # the web page: `orchd open` logs a browser in; "" for none
# max_runs = 8                           # places: runs at once
# stop_grace = "30s"                     # what runs get when the daemon is ended by Ctrl-C

[retention]
# runs = "30d"                           # runs with their logs; failed ones are kept twice as long
# files = "1d"                           # a run's own folder

[flows]
paths = ["flows"]                        # files and folders, relative to this file
# env_file = "flows.env"                 # NAME=value lines: the environment of runs
# prefect_imports = true                 # `import prefect` in flow files means orchd

# [flow.hello]                           # settings of one flow, however it is started
# timeout = "30m"
"""

SCHEDULES_TOML: Final = """\
# One table for each schedule. `orchd reload` takes changes over, `orchd next` shows what comes,
# `orchd why NAME` says why something did or did not run.

[schedules.hello-every-minute]           # the name is the schedule's identity
flow = "hello"
cron = "* * * * *"                       # minute hour day-of-month month day-of-week
# every = "90s"                          # or this, instead of cron
# dates = [2026-12-24T18:00:00]          # or this: once each
# rrule = "FREQ=MONTHLY;BYDAY=-1FR"      # or this: RFC 5545
# after = ["load"]                       # or this: when these flows have succeeded
# timezone = "America/New_York"
parameters = { name = "world" }
# overlap = "skip"                       # while the last run still runs: skip, queue, allow, replace
# catchup = "latest"                     # what was missed while the daemon was down: none, latest, all
"""

FIRST_FLOW: Final = '''\
"""
A first flow. Run it at once, without a daemon: orchd run -p hello.py --param name=you
"""

from orchd import Flow, Parameter, task


@task(log_stdout=True)
def greet(name):
    print(f"Hello, {name}!")
    return len(name)


@task(log_stdout=True)
def count(letters):
    print(f"That name has {letters} letters.")


with Flow("hello") as flow:
    name = Parameter("name", default="world")
    count(greet(name))
'''
