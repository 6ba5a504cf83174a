"""
Secrets: values that are never stored, and that no message and no log line tells on.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from orchd.engine.context import context
from orchd.flow.task import Task
from orchd.results.inline import SecretResult
from orchd.results.secrets import find_secret, from_json, handed_out

#: Stands for a secret that is nowhere.
_MISSING: Final = object()


class Secret:
    """
    A secret by its name: of ``orchd.context.secrets``, the variable ``ORCHD__CONTEXT__SECRETS__NAME``, or the secrets
    file (``$ORCHD_SECRETS_FILE``, else ``~/.orchd/secrets.toml``: ``NAME = value`` lines, mode 0600).
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self) -> Any:
        """
        Return the value; JSON text of the context or the environment as what it says.

        Raises:
            ValueError: there is none, or a flow is being built, into which it would be written.

            ConfigError: others than its owner may read the secrets file, or it cannot be read.
        """
        if "flow" in context:
            raise ValueError(
                "Secrets should only be retrieved during a flow run, not while building a flow; use a secret task"
            )

        if (value := self._value()) is _MISSING:
            raise ValueError(f'Local Secret "{self.name}" was not found.')

        return value

    def exists(self) -> bool:
        """
        True when there is such a secret.
        """
        return self._value() is not _MISSING

    def _value(self) -> Any:
        held: Mapping[str, Any] = context.get("secrets") or {}
        if self.name in held:
            return handed_out(from_json(handed_out(held[self.name])))

        return find_secret(self.name, _MISSING)


class SecretTask(Task):
    """
    Gives the secret *name*, as :class:`Secret` finds it; its result is never stored. The classic tool calls it
    PrefectSecret. One with a ``run`` of its own may find the secret elsewhere.
    """

    def __init__(self, name: str | None = None, **task_args: Any) -> None:
        """
        Raises:
            ValueError: a result is given.
        """
        if task_args.get("result") is not None:
            raise ValueError("Result types for Secrets are not configurable.")

        self.secret_name = name
        super().__init__(**{**task_args, "name": name, "checkpoint": False})
        self.result = SecretResult()

    def run(self, name: str | None = None) -> Any:
        """
        Return the secret *name*, or the one that the task was made for.

        Raises:
            ValueError: no name is given, or there is no such secret.
        """
        return Secret(self._chosen(name)).get()

    def _chosen(self, name: str | None) -> str:
        if (chosen := name if name is not None else self.secret_name) is None:
            raise ValueError("A secret name must be provided.")

        return chosen


class EnvVarSecret(SecretTask):
    """
    Gives the environment variable *name*, turned by *cast* into what is needed.
    """

    def __init__(
        self,
        name: str | None = None,
        cast: Callable[[str], Any] | None = None,
        raise_if_missing: bool = False,
        **task_args: Any,
    ) -> None:
        """
        Args:
            raise_if_missing: True fails the task when the variable is not set; otherwise its result is None then.
        """
        self.cast = cast
        self.raise_if_missing = raise_if_missing
        super().__init__(name, **task_args)

    def run(self, name: str | None = None) -> Any:
        """
        Return the variable *name*, or the one that the task was made for.

        Raises:
            ValueError: no name is given, or the variable is not set and must be.
        """
        chosen = self._chosen(name)
        if (text := os.environ.get(chosen)) is None:
            if self.raise_if_missing:
                raise ValueError(f"Environment variable not set: {chosen}")

            return None

        handed_out(text)
        return text if self.cast is None else handed_out(self.cast(text))
