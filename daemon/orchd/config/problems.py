"""
How a mistake in a config file is said: one sentence with file, line, key, value, and what to write instead.
"""

import difflib
from collections.abc import Iterable, Sequence

from orchd.errors import ConfigError


class ConfigProblems(ConfigError):
    """
    One or more mistakes in the config files; the message is the first, and how many there are beside it.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """
        Hold *problems*: at least one sentence.
        """
        self.problems = tuple(problems)
        rest = len(self.problems) - 1
        more = f" (and {rest} more: see `orchd check`)" if rest else ""
        super().__init__(self.problems[0] + more)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    Return `` did you mean 'x'?`` when one of *known* is near *word*, else the list of what is known.

    The text begins after a semicolon, so that a sentence can end with it.
    """
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    if near:
        meant = next(name for name in names if name.lower() == near[0])
        return f"did you mean '{meant}'?"

    if not names:
        return "there is none"

    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known here: {shown}"


def toml_value(value: object) -> str:
    """
    Return *value* about as it stands in TOML, cut short, for a message.
    """
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
        case list():
            text = "[" + ", ".join(map(toml_value, value)) + "]"
        case dict():
            text = "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }"
        case _:
            text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
