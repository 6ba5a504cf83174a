"""
Keeping a spawner alive, and handing on what it says.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec

from orchd import log
from orchd.model.specs import Description
from orchd.processes.launch import Spawner, SpawnerGone
from orchd.processes.protocol import Describe, Described, Reply

_log = log.get("spawner")

#: What becomes of a description whose spawner was killed, and how often it is asked for again.
_DIED: Final = "the spawner died while it described the file: reload, and look whether the file kills its parent"
_MORE_TRIES: Final = 3

#: Seconds until a spawner that could not be started is tried again.
_RETRY_S: Final = 1.0


class SpawnerKeeper:
    """
    One spawner after another: a dead one is replaced at once.

    Args:
        heard: called in the loop's thread with each reply about a run.

        gone: called in the loop's thread after a dead spawner was replaced.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        spawner: Spawner,
        *,
        heard: Callable[[Reply], None],
        gone: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._spawner = spawner
        self._heard = heard
        self._gone = gone
        self._asked: dict[int, Future[Described]] = {}
        self._last_id = 0
        self._watched: int | None = None
        self._retry: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        """
        Process id of the spawner of this moment.
        """
        return self._spawner.pid

    def start(self) -> None:
        """
        Start the spawner. Called in the loop's thread.
        """
        self._spawner.start()
        self._watched = self._spawner.fileno()
        self._loop.add_reader(self._watched, self._receive)

    def launch(self, folder: Path) -> None:
        """
        Launch the run of *folder*; from the writer's thread.
        """
        self._spawner.launch(folder)

    def describe(
        self, files: Sequence[Path], *, time_limit_s: float, env_file: Path | None, prefect_imports: bool = False
    ) -> list[Description]:
        """
        Describe flow files, each in a process of its own; from any thread but the loop's, which must go on.

        Returns:
            One description for each file, in their order; a file that cannot be described says why.
        """
        with tempfile.TemporaryDirectory(prefix="orchd-describe-") as folder:

            def ask(file: Path) -> tuple[Path, Future[Described]]:
                self._last_id += 1
                out = Path(folder) / f"{self._last_id}.json"
                request = Describe(
                    id=self._last_id,
                    file=str(file),
                    out=str(out),
                    time_limit_s=time_limit_s,
                    env_file=None if env_file is None else str(env_file),
                    prefect_imports=prefect_imports,
                )
                return out, self._ask(request)

            asked = [ask(file) for file in files]
            for _ in range(_MORE_TRIES):
                asked = [
                    ask(file) if answer.result().error == _DIED else (out, answer)
                    for file, (out, answer) in zip(files, asked, strict=True)
                ]
            return [_description(file, out, answer.result()) for file, (out, answer) in zip(files, asked, strict=True)]

    def stop(self) -> None:
        """
        Let the spawner end; its monitors and runs go on. Called in the loop's thread.
        """
        if self._retry is not None:
            self._retry.cancel()
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None
        self._spawner.close()
        self._fail_asked(list(self._asked), "the daemon is stopping")

    def _ask(self, request: Describe) -> "Future[Described]":
        answer: Future[Described] = Future()
        self._asked[request.id] = answer
        try:
            self._spawner.describe(request)
        except SpawnerGone as error:
            self._asked.pop(request.id, None)
            answer.set_result(Described(id=request.id, ok=False, error=str(error)))
        return answer

    def _receive(self) -> None:
        try:
            replies = self._spawner.receive()
        except SpawnerGone:
            _log.warning("spawner_died")
            if self._watched is not None:
                self._loop.remove_reader(self._watched)
                self._watched = None
            lost = list(self._asked)
            self._start_again()
            # Only now: whoever asks again at once is heard by the new one.
            self._fail_asked(lost, _DIED)
            return
        for reply in replies:
            if isinstance(reply, Described):
                answer = self._asked.pop(reply.id, None)
                if answer is not None:
                    answer.set_result(reply)
            else:
                self._heard(reply)

    def _start_again(self) -> None:
        try:
            self.start()
        except SpawnerGone as error:
            # No process to be had at this moment: runs wait for it.
            _log.error("spawner_not_started", why=str(error))
            self._retry = self._loop.call_later(_RETRY_S, self._start_again)
        else:
            self._gone()

    def _fail_asked(self, numbers: Sequence[int], why: str) -> None:
        for number in numbers:
            answer = self._asked.pop(number, None)
            if answer is not None:
                answer.set_result(Described(id=number, ok=False, error=why))


def _description(file: Path, out: Path, answer: Described) -> Description:
    if answer.ok:
        try:
            return msgspec.json.decode(out.read_bytes(), type=Description)
        except (OSError, msgspec.MsgspecError) as error:
            return Description(file=str(file), error=f"its description is unreadable: {error}")

    return Description(file=str(file), error=answer.error or "it could not be described")
