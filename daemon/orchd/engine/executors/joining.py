"""
What all executors have in common that run several task runs at once: each begins as soon as what is above it is over.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from orchd.engine.state import State

Run = Callable[[Sequence[State]], State]
Promise = State | Future[State]


class JoiningExecutor:
    """
    Keeps promises; how a task run is made, once its turn has come, say the classes below.
    """

    def submit(self, run: Run, upstream: Sequence[Promise]) -> Promise:
        """
        Have *run* called once all of *upstream* are there.
        """
        promise: Future[State] = Future()
        waiting = [each for each in upstream if isinstance(each, Future)]
        left = len(waiting)
        lock = threading.Lock()

        def begin() -> None:
            try:
                self._begin(run, self.wait(upstream), promise)
            except BaseException as exc:
                promise.set_exception(exc)

        def one_is_there(_: Future[State]) -> None:
            nonlocal left
            with lock:
                left -= 1
                is_ready = left == 0

            if is_ready:
                begin()

        if not waiting:
            begin()

        for each in waiting:
            each.add_done_callback(one_is_there)

        return promise

    def wait(self, promised: Sequence[Promise]) -> list[State]:
        """
        Return the states; what was raised instead of one is raised here.
        """
        return [each.result() if isinstance(each, Future) else each for each in promised]

    def _begin(self, run: Run, upstream: Sequence[State], promise: "Future[State]") -> None:
        """
        Have *promise* kept, without waiting for that.
        """
        raise NotImplementedError


def keep(promise: "Future[State]", make: Callable[[], State]) -> None:
    """
    Keep *promise* with what *make* returns or raises.
    """
    try:
        state = make()
    except BaseException as exc:
        promise.set_exception(exc)
    else:
        promise.set_result(state)
