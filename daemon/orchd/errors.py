"""
Every error that orchd shows to a person, and the exit code and HTTP status of each.

The tree::

    OrchdError
    ├── ConfigError        the person's config files      exit 78, HTTP 400
    ├── UsageError         the person's arguments         exit 64, HTTP 400
    ├── FlowError          the person's flow file         exit 65, HTTP 422
    ├── NotAllowed         somebody may not do this       exit 77, HTTP 403
    ├── NotFound           no such flow, run, schedule    exit 66, HTTP 404
    ├── TooMany            more at once than are borne    exit 75, HTTP 429
    ├── Ambiguous          several fit                    exit 66, HTTP 409
    ├── StaleRun           somebody moved it first        exit 75, HTTP 409
    ├── StateError         state folder or socket         exit 73, HTTP 503
    ├── StoreError         store away, full or too new    exit 69, HTTP 503
    ├── NotRunning         no daemon answers              exit 3,  HTTP 503
    └── InternalError      our bug                        exit 70, HTTP 500
        └── ScheduleStuck  a schedule did not advance

The message of each is one sentence: what happened, with which value, what to do.
"""


class OrchdError(Exception):
    """
    Root of all errors that orchd raises on purpose.
    """

    #: Source of the numbers: sysexits.h (64 to 78); 3 as in ``systemctl status``.
    exit_code: int = 70
    http_status: int = 500
    #: The word that the HTTP API and ``--json`` give for this error.
    code: str = "internal_error"


class ConfigError(OrchdError):
    """
    A config file says something that cannot be meant; names file, key, value and what to write.
    """

    exit_code = 78
    http_status = 400
    code = "config_error"


class UsageError(OrchdError):
    """
    An argument of a command or a request cannot be meant.
    """

    exit_code = 64
    http_status = 400
    code = "usage_error"


class FlowError(OrchdError):
    """
    A flow file cannot be loaded, or a flow in it cannot be run with these parameters.
    """

    exit_code = 65
    http_status = 422
    code = "flow_error"


class NotAllowed(OrchdError):
    """
    Whoever asks for this may not do it.
    """

    exit_code = 77
    http_status = 403
    code = "not_allowed"


class NotFound(OrchdError):
    """
    There is no flow, run, schedule or file of that name.
    """

    exit_code = 66
    http_status = 404
    code = "not_found"


class TooMany(OrchdError):
    """
    More is asked for at once than the daemon bears.
    """

    exit_code = 75
    http_status = 429
    code = "too_many"


class Ambiguous(OrchdError):
    """
    Several runs fit the given name or prefix.
    """

    exit_code = 66
    http_status = 409
    code = "ambiguous"


class StaleRun(OrchdError):
    """
    The run is no longer in a state from which it could be moved: somebody moved it first.
    """

    exit_code = 75
    http_status = 409
    code = "stale_run"


class StateError(OrchdError):
    """
    The state folder or the socket cannot be used.
    """

    exit_code = 73
    http_status = 503
    code = "state_error"


class StoreError(OrchdError):
    """
    The run store is away, full, damaged or of a newer orchd.
    """

    exit_code = 69
    http_status = 503
    code = "store_error"


class NotRunning(OrchdError):
    """
    No daemon answers on the socket.
    """

    exit_code = 3
    http_status = 503
    code = "not_running"


class InternalError(OrchdError):
    """
    Something that cannot happen has happened: a bug of orchd.
    """


class ScheduleStuck(InternalError):
    """
    A schedule named a fire time that is not later than the instant it was asked about.
    """
