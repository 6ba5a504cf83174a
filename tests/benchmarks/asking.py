"""
What a browser and a script ask of the daemon: every page, list and filter, over one open connection.
"""

import http.client
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

from page.visiting import Visitor

#: Text that is in nothing.
_NOWHERE = "no-such-text"
#: Name of what is measured -> where it is asked for; the names of runs in braces are filled in.
PAGES: Mapping[str, str] = {
    "overview": "/",
    "flows": "/flows",
    "flow": "/flows/flow-000",
    "flow, rare state": "/flows/flow-000?state=cancelled",
    "flow, text nowhere": f"/flows/flow-000?parameter={_NOWHERE}",
    "flow, schedules": "/flows/flow-000?tab=schedules",
    "flow, schematic": "/flows/flow-000?tab=schematic",
    "flow, versions": "/flows/flow-000?tab=versions",
    "flow, run": "/flows/flow-000?tab=run",
    "runs": "/runs",
    "runs, deep": "/runs?before={middle}",
    "runs, failed": "/runs?state=failed",
    "runs, since": "/runs?since={day}",
    "runs, since, failed": "/runs?since={day}&state=failed",
    "runs, text everywhere": "/runs?parameter=eu-3",
    "runs, text nowhere": f"/runs?parameter={_NOWHERE}",
    "runs, failed, text nowhere": f"/runs?state=failed&parameter={_NOWHERE}",
    "run": "/runs/{usual}",
    "run, 10,000 children": "/runs/{mapper}",
    "run, long log": "/runs/{talker}",
    "run, long log, text": "/runs/{talker}?text=usual",
    "run, long log, text nowhere": f"/runs/{{talker}}?text={_NOWHERE}",
    "run, long log, level": "/runs/{talker}?level=error",
    "run, long log, task nowhere": "/runs/{talker}?task=wide",
    "run, long log, middle": "/runs/{talker}?at={middle}",
    "run, first error": "/runs/{talker}/first-error",
    "task run": "/runs/{usual}/tasks/load",
    "task run, 10,000 children": "/runs/{mapper}/tasks/wide",
    "task run, children that failed": "/runs/{mapper}/tasks/wide?state=failed",
    "schedules": "/schedules",
    "schedules, next page": "/schedules?after=nightly-150",
    "schedule": "/schedules/nightly-000",
    "slots": "/slots",
    "slots, missed": "/slots?outcome=missed",
    "slots, skipped": "/slots?outcome=skipped",
    "slots, schedule": "/slots?schedule=nightly-000",
    "slots, schedule, missed": "/slots?schedule=nightly-000&outcome=missed",
}
LISTS: Mapping[str, str] = {
    "api status": "/api/v1/status",
    "api flows": "/api/v1/flows",
    "api flow": "/api/v1/flows/flow-000",
    "api versions": "/api/v1/flows/flow-000/versions",
    "api summary": "/api/v1/flows/flow-000/summary",
    "api schedules": "/api/v1/schedules",
    "api next": "/api/v1/next",
    "api slots": "/api/v1/slots",
    "api slots, missed": "/api/v1/slots?outcome=missed",
    "api runs": "/api/v1/runs",
    "api runs, failed": "/api/v1/runs?state=failed",
    "api run": "/api/v1/runs/{usual}",
    "api run, 10,000 children": "/api/v1/runs/{mapper}",
    "api task runs": "/api/v1/runs/{mapper}/tasks",
    "api task run": "/api/v1/runs/{usual}/tasks/load",
    "api logs": "/api/v1/runs/{talker}/logs",
    "api logs, text nowhere": f"/api/v1/runs/{{talker}}/logs?text={_NOWHERE}",
    "api projects": "/api/v1/projects",
    "metrics": "/metrics",
}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """
    What one address costs: median milliseconds, bytes of the answer, and its status.
    """

    ms: float
    size: int
    status: int


class Asker:
    """
    One connection of somebody who is logged in.
    """

    def __init__(self, who: Visitor) -> None:
        self._headers = {"Host": who.host, "Cookie": who.cookie or ""}
        self._connection = http.client.HTTPConnection(who.host, timeout=120)

    def cost(self, path: str, times: int) -> Cost:
        """
        Ask for *path* so many times; each lasts until the whole answer is there.
        """
        took: list[float] = []
        for _ in range(times):
            begun = time.perf_counter()
            status, body = self._ask(path)
            took.append((time.perf_counter() - begun) * 1000)
        return Cost(ms=statistics.median(took), size=len(body), status=status)

    def first_page(self) -> int:
        """
        Return the bytes of the first page with everything that it brings along.
        """
        _, body = self._ask("/")
        brought = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', body.decode()))
        return len(body) + sum(len(self._ask(path)[1]) for path in brought)

    def _ask(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """
        End the connection.
        """
        self._connection.close()
