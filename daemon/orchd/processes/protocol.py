"""
What the daemon and its spawner say to each other: one JSON message in each packet of a SOCK_SEQPACKET pair.
"""

from typing import Final

import msgspec
from msgspec import Struct

#: Largest message; paths are at most 4096 bytes, and few are in one message.
MAX_MESSAGE: Final = 65536


class Launch(Struct, frozen=True, kw_only=True, tag_field="do", tag="launch"):
    """
    Fork a monitor for this run folder (absolute path).
    """

    folder: str


class Describe(Struct, frozen=True, kw_only=True, tag_field="do", tag="describe", omit_defaults=True):
    """
    Import *file* in a child and write its :class:`~orchd.model.specs.Description` as JSON to *out*.
    """

    id: int
    file: str
    out: str
    time_limit_s: float
    #: File of ``NAME=value`` lines, as for runs.
    env_file: str | None = None
    #: As for runs.
    prefect_imports: bool = False


class Launched(Struct, frozen=True, kw_only=True, tag_field="is", tag="launched"):
    """
    The monitor of *folder* is process *pid*. Whether it passes the fence is not known yet.
    """

    folder: str
    pid: int


class Ended(Struct, frozen=True, kw_only=True, tag_field="is", tag="ended"):
    """
    The monitor *pid* of *folder* is gone; *status* is its exit code, or minus the signal that killed it.
    """

    folder: str
    pid: int
    status: int


class Refused(Struct, frozen=True, kw_only=True, tag_field="is", tag="refused"):
    """
    The system gave no process for *folder*; *error* is one sentence. Nothing of the run has begun.
    """

    folder: str
    error: str


class Described(Struct, frozen=True, kw_only=True, tag_field="is", tag="described"):
    """
    The describing child is gone: *ok* when it wrote its file, else *error* is one sentence.
    """

    id: int
    ok: bool
    error: str | None


Request = Launch | Describe
Reply = Launched | Ended | Refused | Described

REQUESTS: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
REPLIES: Final[msgspec.json.Decoder[Reply]] = msgspec.json.Decoder(Reply)
