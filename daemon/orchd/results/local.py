"""
Results in files of this machine.
"""

import os
import re
from pathlib import Path
from typing import Any, Self

from orchd import clock
from orchd.results.result import Location, OutsideFolder, Result
from orchd.results.serializers import Serializer
from orchd.results.whole import write_whole


class LocalResult(Result):
    """
    Keeps values as files under a folder.
    """

    def __init__(
        self,
        dir: str | os.PathLike[str] | None = None,
        validate_dir: bool = True,
        *,
        value: Any = None,
        location: Location | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        """
        Args:
            dir: folder of all relative locations, made at the first write. None for ``$ORCHD_RESULTS_DIR``, and
                ``~/.orchd/results`` where that is not set; an absolute location may then lie anywhere.

            validate_dir: False keeps *dir* as it is written, relative to wherever the run will be.
        """
        super().__init__(value=value, location=location, serializer=serializer)
        self._is_bound = dir is not None
        folder = os.fspath(dir) if dir is not None else os.environ.get("ORCHD_RESULTS_DIR") or "~/.orchd/results"
        self.dir = os.path.abspath(os.path.expanduser(folder)) if validate_dir else folder

    @property
    def default_location(self) -> str:
        """
        A new name below the folder, made from the time.
        """
        return os.path.join(self.dir, "orchd-result-" + re.sub("[^0-9a-z]+", "-", clock.now().isoformat().lower()))

    def path_of(self, location: str) -> Path:
        """
        Return the file of *location*.

        Raises:
            OutsideFolder: it lies outside of the folder.
        """
        folder = os.path.abspath(self.dir)
        path = os.path.abspath(os.path.join(folder, location))
        is_free = os.path.isabs(location) and not self._is_bound and ".." not in Path(location).parts
        if not is_free and os.path.commonpath([folder, path]) != folder:
            raise OutsideFolder(
                f"The result location '{location}' leaves its folder '{folder}'; "
                "write a location below it, or another LocalResult(dir=...)"
            )

        return Path(path)

    def read(self, location: str) -> Self:
        """
        Return a copy that holds the value in the file of *location*, and *location* as it was given.

        Raises:
            FileNotFoundError: nothing is there.
        """
        new = self.copy()
        new.location = location
        new.value = self.serializer.deserialize(self.path_of(location).read_bytes())
        return new

    def write(self, value_: Any, **kwargs: Any) -> Self:
        """
        Store *value_* whole or not at all, and return a copy that holds it and the full path of its file.
        """
        new = self.format(**kwargs)
        path = self.path_of(str(new.location) if new.location is not None else self.default_location)
        write_whole(path, self.serializer.serialize(value_))
        new.location = str(path)
        new.value = value_
        return new

    def exists(self, location: str, **kwargs: Any) -> bool:
        """
        True when a file is at *location*, after *kwargs* are filled in.
        """
        return self.path_of(location.format(**kwargs) if kwargs else location).exists()
