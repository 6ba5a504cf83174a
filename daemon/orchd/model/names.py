"""
What may be the name of a flow or a schedule, and the characters that no name has and no sentence shows.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MAX_NAME_LENGTH: Final = 200
#: How much of a wrong name a sentence repeats.
_MAX_SHOWN: Final = 80

#: Control characters except tab: C0, DEL, C1, and those that turn the direction of writing or break lines.
_CONTROLS: Final = (
    *range(9),
    *range(10, 32),
    *range(127, 160),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
#: For ``str.translate``: each of them by its escape, such as ``\\x1b``.
ESCAPES: Final[Mapping[int, str]] = MappingProxyType(
    {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _CONTROLS}
)
#: ``@`` stands between a schedule and a fire time, ``/`` between the parts of an address.
_FORBIDDEN: Final = frozenset({"\t", "@", "/", *map(chr, _CONTROLS)})


def name_problem(name: object) -> str | None:
    """
    Return what is wrong with *name* as that of a flow or a schedule; None when it is one.
    """
    if not isinstance(name, str):
        return f"must be text, not {type(name).__name__}"

    if not name:
        return "is empty"

    if len(name) > MAX_NAME_LENGTH:
        return f"is too long: {MAX_NAME_LENGTH} characters at most"

    if not _FORBIDDEN.isdisjoint(name):
        return "is no name: it has a control character, '@' or '/' in it"

    return None


def shown(name: str) -> str:
    """
    Return *name* in quotes as a sentence repeats what somebody wrote: its beginning, when it is very long.
    """
    return repr(name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]} ...")
