from datetime import timedelta, datetime
import pendulum
from prefect import task, Flow
from prefect.schedules import Schedule
from prefect.schedules.clocks import CronClock, IntervalClock
from prefect.schedules.filters import is_weekday, between_times
from prefect.schedules.adjustments import next_weekday

every_day = Schedule(
    clocks=[
        CronClock("0 8 * * *", start_date=datetime(2021, 1, 1), labels=["prod"], parameter_defaults={}),
        IntervalClock(
            interval=timedelta(hours=4),
            start_date=pendulum.datetime(2021, 1, 1, tz="America/Sao_Paulo"),
            labels=[
                "dev",
            ],
        ),
    ],
    filters=[is_weekday],
    adjustments=[next_weekday],
)


@task
def report():
    return [event.isoformat() for event in every_day.next(3, after=pendulum.datetime(2021, 3, 5, 12))]


with Flow("scheduled report", every_day) as flow:
    report()
