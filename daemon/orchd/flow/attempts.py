"""
What a run keeps for a later attempt, and what it takes over from an earlier one.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from orchd.engine.cache_validators import fingerprint
from orchd.engine.kept import KeptResults
from orchd.engine.logs import get_logger
from orchd.engine.reuse import Answer, Before, Reuse
from orchd.flow.collections import Constant
from orchd.flow.parameter import Parameter
from orchd.flow.task import Task
from orchd.graph.graph import Graph, Node
from orchd.model.choosing import chosen_slug
from orchd.model.records import KeptIndex, Resume
from orchd.model.states import FlowRunState, TaskRunState

LOG: Final = get_logger("FlowRunner")
INDEX_NAME: Final = "index.json"
_INDEX: Final = msgspec.json.Decoder(KeptIndex)
#: Characters of a hash that are shown.
_SHORT: Final = 8
#: Longest collection that is fingerprinted element by element.
_LONGEST: Final = 1000
_PLAIN: Final = frozenset({bool, int, float, str, bytes, type(None)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """
    Where an attempt keeps its results, and the attempt that it goes on from.
    """

    folder: Path
    #: SHA-256 of the flow file as it was loaded.
    source_hash: str
    resume: Resume | None = None

    def begin(self, graph: Graph[Task], parameters: Mapping[str, Any]) -> "tuple[KeptResults | None, Reuse | None]":
        """
        Make the folder with its index, and return what keeps the results, and what is taken over.

        Raises:
            NotFound, UsageError: the task to begin from is not to be found.
        """
        prints = {node.slug: _fingerprint(node, parameters) for node in graph.nodes}
        reuse = None if self.resume is None else _reuse(self.resume, graph, prints, self.source_hash)
        index = KeptIndex(source_hash=self.source_hash, prints=prints)
        path = self.folder / INDEX_NAME
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True, parents=True)
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(msgspec.json.encode(index))
            temporary.replace(path)
        except OSError as error:
            LOG.warning("Results cannot be kept for a later attempt in %s: %s", self.folder, error.strerror)
            return None, reuse

        return KeptResults(str(self.folder)), reuse


def _reuse(resume: Resume, graph: Graph[Task], prints: Mapping[str, str], source_hash: str) -> Reuse:
    attempt = f"attempt {resume.attempt} ({resume.run_name})"
    before = {
        (task.slug, task.map_index): Before(state=TaskRunState(task.state), location=task.location)
        for task in resume.tasks
    }
    anew: dict[str, Answer] = {}
    index = _read_index(Path(resume.results) / INDEX_NAME)
    LOG.info("Resuming %s, which ended as %s.", attempt, FlowRunState(resume.state).shown)
    if index is None:
        LOG.warning("What the tasks of %s were given is not known any more: all tasks run anew.", attempt)
        anew = dict.fromkeys(prints, Answer(why="what it was given is not known any more"))
    else:
        _tell_of_changes(index, prints, source_hash, attempt)
        for slug, text in prints.items():
            if slug not in index.prints:
                anew[slug] = Answer(why="it is new in the flow")
            elif text != index.prints[slug]:
                anew[slug] = Answer(why="what it is given has changed")

    if resume.from_task is not None:
        first = chosen_slug(resume.from_task, ((node.slug, node.task.name) for node in graph.nodes))
        wanted = Answer(why=f"asked for by --from {resume.from_task}", is_forced=True)
        anew |= dict.fromkeys(_with_all_below(first, graph.nodes), wanted)

    return Reuse(attempt=attempt, before=before, anew=anew)


def _tell_of_changes(index: KeptIndex, prints: Mapping[str, str], source_hash: str, attempt: str) -> None:
    if index.source_hash == source_hash:
        return

    new = [slug for slug in prints if slug not in index.prints]
    gone = [slug for slug in index.prints if slug not in prints]
    named = [
        f"{word}: {', '.join(slugs)}" for word, slugs in (("new tasks", new), ("tasks that are gone", gone)) if slugs
    ]
    LOG.warning(
        "The flow file has changed since %s (%s, now %s): what had succeeded is still taken over; "
        "--from TASK runs a task anew whose code has changed.%s",
        attempt,
        index.source_hash[:_SHORT] or "unknown",
        source_hash[:_SHORT] or "unknown",
        "".join(f" {text[0].upper()}{text[1:]}." for text in named),
    )


def _with_all_below(first: str, nodes: Iterable[Node[Task]]) -> list[str]:
    found: dict[Task, str] = {}
    for node in nodes:
        if node.slug == first or any(edge.upstream_task in found for edge in node.upstream):
            found[node.task] = node.slug

    return list(found.values())


def _read_index(path: Path) -> KeptIndex | None:
    try:
        return _INDEX.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _fingerprint(node: Node[Task], parameters: Mapping[str, Any]) -> str:
    """
    Return a text that stays the same as long as what the task is given beside results of others does.
    """
    if isinstance(node.task, Constant):
        given = {"": node.task.value}
    elif isinstance(node.task, Parameter):
        given = {"": parameters.get(node.task.name)}
    else:
        given = dict(node.constants)

    return sha256(_text(given).encode(errors="surrogatepass")).hexdigest()[:16] if given else ""


def _text(value: Any) -> str:
    """
    Return *value* as text that does not depend on the process, where that can be.
    """
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)

    if kind in (list, tuple, dict, set, frozenset) and len(value) <= _LONGEST:
        items = [f"{_text(key)}:{_text(each)}" for key, each in value.items()] if kind is dict else map(_text, value)
        ordered = sorted(items) if kind in (set, frozenset) else items
        return f"{kind.__name__}({','.join(ordered)})"

    return fingerprint(value)


def file_hash(file: str | os.PathLike[str]) -> str:
    """
    Return the SHA-256 of the bytes of *file*; empty when it cannot be read.
    """
    try:
        return sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""
