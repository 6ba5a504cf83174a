"""
Where the page listens, as a config says it: ``127.0.0.1:8420``, ``[::1]:8420``, or nothing at all.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_HOST_AND_PORT: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})", re.ASCII)
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?", re.ASCII)
_EXAMPLE: Final = 'write an address with a port, such as "127.0.0.1:8420"; "" switches the page off'


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """
    An address of this machine.
    """

    #: A name or a number; of IPv6 without brackets.
    host: str
    #: 0 for any that is free.
    port: int

    @property
    def is_public(self) -> bool:
        """
        True unless only this machine can reach it.
        """
        if self.host == "localhost":
            return False

        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


#: Source: ``design.md`` section 6.
DEFAULT_LISTEN: Final = Listen(host="127.0.0.1", port=8420)


def parse_listen(text: str) -> Listen | None:
    """
    Return the address that *text* says; None for the empty text, which wants none.

    Raises:
        ValueError: with a sentence that says what to write.
    """
    if not text:
        return None

    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or int(found["port"]) > 65_535:
        raise ValueError(f"is no address; {_EXAMPLE}")

    return Listen(host=found["host"].strip("[]").lower(), port=int(found["port"]))


def parse_host(text: str) -> str:
    """
    Return *text* when it may be the ``Host`` that a browser names: a name, with its port unless that is 80 or 443.

    Raises:
        ValueError: with a sentence that says what to write.
    """
    if not _HOST.fullmatch(text):
        raise ValueError(
            'is no name of a host; write what the address bar of a browser shows, such as "jobs.example.org"'
        )

    return text.lower()
