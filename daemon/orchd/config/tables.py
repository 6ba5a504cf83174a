"""
The tables of the config files as pydantic models: which keys there are, their types, and an example of each.

Nothing is resolved here: a key that is not written is None, and :mod:`orchd.config.loading` fills in the default.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from orchd.config.durations import parse_duration, parse_size
from orchd.config.listening import DEFAULT_LISTEN, Listen, parse_host, parse_listen
from orchd.model.names import name_problem
from orchd.model.specs import CatchUp, Overlap, When
from orchd.schedules.windows import MAX_COUNT


def _parsed(parse: Callable[[str], object], wanted: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str):
            raise PydanticCustomError("orchd", "{what}", {"what": f"must be {wanted} in quotes"})

        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("orchd", "{what}", {"what": str(error)}) from error

    return check


def _positive(text: str) -> timedelta:
    if not (duration := parse_duration(text)):
        raise ValueError('is no time at all; write a duration above zero, such as "90s"')

    return duration


def _size(text: str) -> int:
    if not (size := parse_size(text)):
        raise ValueError('is no room at all; write a size above zero, such as "64MiB"')

    return size


def _named(name: str) -> str:
    if problem := name_problem(name):
        raise PydanticCustomError("orchd", "{what}", {"what": problem})

    return name


def _places(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("orchd", "{what}", {"what": "must be a number of places; write for example gpu = 2"})

    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, dict) else value


#: A business day must be near: it is looked for day by day.
_LONGEST_RANGE: Final = timedelta(days=366)
_LAST_YEAR: Final = 2999


def _days(value: object) -> tuple[str, str]:
    """
    Return the first and the last day of a date, or of the text ``2026-12-24/2027-01-06``.
    """
    first, _, last = str(value).partition("/")
    try:
        if isinstance(value, datetime):
            raise ValueError(value)
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        words = 'is no day and no range of days; write 2026-12-25 or "2026-12-24/2027-01-06"'
        raise PydanticCustomError("orchd", "{what}", {"what": words}) from error

    if begin > end:
        words = f'ends before it begins; write "{end}/{begin}"'
        raise PydanticCustomError("orchd", "{what}", {"what": words})

    if end - begin > _LONGEST_RANGE or end.year > _LAST_YEAR:
        words = "is longer than 366 days, or after the year 2999; to end a schedule for good, write until"
        raise PydanticCustomError("orchd", "{what}", {"what": words})

    return begin.isoformat(), end.isoformat()


Days = Annotated[tuple[str, str], BeforeValidator(_days)]
Duration = Annotated[timedelta, BeforeValidator(_parsed(parse_duration, "a duration"))]
PositiveDuration = Annotated[timedelta, BeforeValidator(_parsed(_positive, "a duration"))]
Size = Annotated[int, BeforeValidator(_parsed(_size, "a size"))]
Address = Annotated[Listen | None, BeforeValidator(_parsed(parse_listen, "an address"))]
Host = Annotated[str, BeforeValidator(_parsed(parse_host, "the name of a host"))]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, AfterValidator(_named)]
Places = Annotated[int, BeforeValidator(_places), Field(ge=1, le=10_000)]
Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class Table(BaseModel):
    """
    What all tables have in common: strict types, frozen, unknown keys refused.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DaemonTable(Table):
    """
    ``[daemon]``.
    """

    listen: Address = Field(default=DEFAULT_LISTEN, examples=["127.0.0.1:8420"])
    hosts: tuple[Host, ...] | None = Field(default=None, examples=[["jobs.example.org"]], strict=False)
    behind_proxy: bool | None = Field(default=None, examples=[True])
    socket: Text | None = Field(default=None, examples=["/run/orchd/orchd.sock"])
    store: Text | None = Field(default=None, examples=["sqlite"])
    state_dir: Text | None = Field(default=None, examples=["/var/lib/orchd"])
    timezone: Text | None = Field(default=None, examples=["Europe/Vienna"])
    max_runs: int | None = Field(default=None, ge=1, le=10_000, examples=[8])
    stop_grace: Duration | None = Field(default=None, examples=["30s"])
    max_output: Size | None = Field(default=None, examples=["256MiB"])


class RetentionTable(Table):
    """
    ``[retention]``.
    """

    runs: PositiveDuration | None = Field(default=None, examples=["30d"])
    files: Duration | None = Field(default=None, examples=["1d"])


class FlowsTable(Table):
    """
    ``[flows]``.
    """

    paths: tuple[Text, ...] | None = Field(default=None, examples=[["../flows"]], strict=False)
    env_file: Text | None = Field(default=None, examples=["flows.env"])
    describe_timeout: PositiveDuration | None = Field(default=None, examples=["60s"])
    prefect_imports: bool | None = Field(default=None, examples=[True])


class FlowTable(Table):
    """
    ``[flow.NAME]``.
    """

    timeout: PositiveDuration | None = Field(default=None, examples=["30m"])
    on_crash: Literal["fail", "resume"] | None = Field(default=None, examples=["resume"])
    grace: Duration | None = Field(default=None, examples=["30s"])
    max_runs: int | None = Field(default=None, ge=1, le=10_000, examples=[1])
    pool: Name | None = Field(default=None, examples=["gpu"])
    priority: Priority | None = Field(default=None, examples=[10])


class WaitTable(Table):
    """
    One table of ``wait_for``.
    """

    flow: Name = Field(examples=["load"])
    within: PositiveDuration | None = Field(default=None, examples=["26h"])
    same_slot: Literal[True] | None = Field(default=None, examples=[True])
    timeout: PositiveDuration | None = Field(default=None, examples=["4h"])


class CalendarTable(Table):
    """
    ``[calendars.NAME]``.
    """

    #: First and last day (inclusive) of each range, as ISO dates.
    days: tuple[Days, ...] = Field(min_length=1, examples=[[date(2026, 12, 25)]], strict=False)


class ScheduleTable(Table):
    """
    ``[schedules.NAME]``.
    """

    flow: Name = Field(examples=["data-engineer"])
    cron: str | None = Field(default=None, examples=["0 2 * * *"])
    every: str | None = Field(default=None, examples=["90s"])
    dates: tuple[datetime | date, ...] | None = Field(
        default=None, min_length=1, max_length=10_000, examples=[[date(2026, 12, 24)]], strict=False
    )
    rrule: str | None = Field(default=None, examples=["FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"])
    anchor: datetime | date | None = Field(default=None, examples=["2026-01-01T00:00:00"])
    after: tuple[Name, ...] | None = Field(default=None, min_length=1, examples=[["data-engineer"]], strict=False)
    when: When | None = Field(default=None, examples=["success"], strict=False)
    from_: datetime | date | None = Field(default=None, alias="from", examples=[date(2026, 1, 1)])
    until: datetime | date | None = Field(default=None, examples=[date(2026, 12, 31)])
    count: int | None = Field(default=None, ge=1, le=MAX_COUNT, examples=[10])
    splay: PositiveDuration | None = Field(default=None, examples=["10m"])
    skip: tuple[Text, ...] | None = Field(default=None, min_length=1, examples=[["holidays"]], strict=False)
    next_business_day: tuple[Text, ...] | None = Field(
        default=None, min_length=1, examples=[["holidays"]], strict=False
    )
    previous_business_day: tuple[Text, ...] | None = Field(
        default=None, min_length=1, examples=[["holidays"]], strict=False
    )
    timezone: Text | None = Field(default=None, examples=["Europe/Vienna"])
    parameters: dict[str, Any] | None = Field(default=None, examples=[{"ratio": 0.3}])
    overlap: Overlap | None = Field(default=None, examples=["skip"], strict=False)
    catchup: CatchUp | None = Field(default=None, examples=["latest"], strict=False)
    grace: Duration | None = Field(default=None, examples=["6h"])
    max_catchup: int | None = Field(default=None, ge=1, le=1000, examples=[100])
    wait_for: Annotated[tuple[WaitTable, ...], BeforeValidator(_listed)] | None = Field(
        default=None, min_length=1, examples=[{"flow": "load", "within": "26h"}], strict=False
    )
    pool: Name | None = Field(default=None, examples=["gpu"])
    priority: Priority | None = Field(default=None, examples=[10])
    pause_after_failures: int | None = Field(default=None, ge=1, le=1000, examples=[3])


class Document(Table):
    """
    All files together.
    """

    daemon: DaemonTable = DaemonTable()
    retention: RetentionTable = RetentionTable()
    flows: FlowsTable = FlowsTable()
    pools: dict[Name, Places] = {}
    flow: dict[Name, FlowTable] = {}
    calendars: dict[Name, CalendarTable] = {}
    schedules: dict[Name, ScheduleTable] = {}


def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """
    Return the keys of *model* as they stand in a file, with what is known of each.
    """
    return {field.alias or name: field for name, field in model.model_fields.items()}


#: First key -> the model of the table below it; those of :data:`NAMED` have a name in between.
TABLES: Final[Mapping[str, type[Table]]] = MappingProxyType(
    {
        "daemon": DaemonTable,
        "retention": RetentionTable,
        "flows": FlowsTable,
        #: Its keys are names of the user's own.
        "pools": Table,
        "flow": FlowTable,
        "calendars": CalendarTable,
        "schedules": ScheduleTable,
    }
)
NAMED: Final = frozenset({"flow", "calendars", "schedules"})
