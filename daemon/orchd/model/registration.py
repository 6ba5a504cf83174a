"""
What ``flow.register()`` of a script asks the daemon for.
"""

from msgspec import Struct


class Registration(Struct, frozen=True, kw_only=True):
    """
    A flow file that is to be taken up, because somebody registers a flow of it by name.
    """

    #: Absolute path of the flow file.
    file: str
    flow: str
    #: Name of a project that is there.
    project: str
    labels: tuple[str, ...] = ()
    #: False pauses the schedules of the flow's code.
    set_schedule_active: bool = True
    #: Who asks, and the uid; None when nobody knows it.
    who: str
    uid: int | None
