"""
Which task a person means.
"""

from collections.abc import Iterable

from orchd.errors import NotFound, UsageError
from orchd.model.names import shown

#: How many tasks are named to somebody who asked for one that is not there.
_NAMED = 12


def chosen_slug(wanted: str, tasks: Iterable[tuple[str, str]]) -> str:
    """
    Return the slug of the task that *wanted* is the slug or the name of.

    Args:
        tasks: slug and name of each.

    Raises:
        NotFound: there is none; the sentence names those that there are.

        UsageError: it is the name of several.
    """
    known = list(tasks)
    if wanted in {slug for slug, _ in known}:
        return wanted

    found = [slug for slug, name in known if name == wanted]
    if len(found) > 1:
        raise UsageError(f"several tasks are called {shown(wanted)}: write one of the slugs {', '.join(found)}")

    if not found:
        there = ", ".join(slug for slug, _ in known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        raise NotFound(f"there is no task {shown(wanted)} in the flow; there are: {there or 'none'}")

    return found[0]
