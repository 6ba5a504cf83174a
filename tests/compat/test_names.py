"""
The tables of old names, and the page that lists those that mean nothing here.
"""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchd.compat.absent import ABSENT
from orchd.compat.names import MODULES, RENAMED

PAGE = Path(__file__).parents[2] / "daemon" / "docs" / "differences.md"
IMPORTS = """
import importlib, json, sys
from orchd import compat
compat.install()

def answer(name):
    module, _, last = name.rpartition(".")
    try:
        exec(f"from {module} import {last}", {})
    except ImportError as exc:
        return str(exc)
    return None

print(json.dumps({name: answer(name) for name in json.load(sys.stdin)}))
"""


def answers(names):
    """
    Import each of *names* in a process with old imports, and return what that said; None for those that are there.
    """
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], input=json.dumps(sorted(names)), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_page_lists_what_is_not_there():
    """
    Each name of the table with its reason, and no other.
    """
    part = PAGE.read_text().split("<!-- absent-names")[1].split("And of what is there")[0]
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", part, re.MULTILINE)

    assert {name: why for names, why in rows for name in re.findall(r"`([\w.]+)`", names)} == dict(ABSENT)


def test_what_is_not_there_says_why():
    """
    Importing it raises the reason.
    """
    assert answers(ABSENT) == {name: f"{name} is not in orchd: {why}" for name, why in ABSENT.items()}


def test_everything_else_is_there():
    """
    Each old module, and each name that is spelled in another way.
    """
    names = {name for name in (*MODULES, *RENAMED) if "." in name}

    assert {name: why for name, why in answers(names).items() if why} == {}


@pytest.mark.parametrize("home", sorted({home for homes in MODULES.values() for home in homes}))
def test_each_home_is_a_module(home):
    """
    The table names no module that is gone.
    """
    assert importlib.import_module(home)


def test_nothing_is_in_both_tables():
    """
    A name means ours or nothing.
    """
    assert not ABSENT.keys() & (MODULES.keys() | RENAMED.keys())


#: What the page about the classic API says that flows import from it (section 3.0), and the table of real use.
CLASSIC = {
    "prefect": "Flow Parameter Task apply_map case config context flatten mapped resource_manager tags task unmapped",
    "prefect.core": "Edge Flow Parameter Task",
    "prefect.core.parameter": "DateTimeParameter Parameter",
    "prefect.engine": "FlowRunner TaskRunner",
    "prefect.engine.cache_validators": "never_use duration_only all_inputs all_parameters partial_inputs_only "
    "partial_parameters_only",
    "prefect.engine.executors": "DaskExecutor Executor LocalDaskExecutor LocalExecutor",
    "prefect.engine.result": "NoResult Result",
    "prefect.engine.results": "ConstantResult GCSResult LocalResult PrefectResult S3Result SecretResult",
    "prefect.engine.serializers": "CompressedSerializer DateTimeSerializer JSONSerializer PandasSerializer "
    "PickleSerializer Serializer",
    "prefect.engine.signals": "ENDRUN FAIL LOOP PAUSE PrefectSignal PrefectStateSignal RETRY SKIP SUCCESS TRIGGERFAIL "
    "VALIDATIONFAIL signal_from_state",
    "prefect.engine.state": "Cached Cancelled Cancelling ClientFailed Failed Finished Looped Mapped Paused Pending "
    "Queued Resume Retrying Running Scheduled Skipped State Submitted Success TimedOut TriggerFailed ValidationFailed",
    "prefect.executors": "DaskExecutor Executor LocalDaskExecutor LocalExecutor",
    "prefect.schedules": "CronSchedule IntervalSchedule RRuleSchedule Schedule adjustments clocks filters",
    "prefect.schedules.clocks": "Clock ClockEvent CronClock DatesClock IntervalClock RRuleClock",
    "prefect.schedules.filters": "at_time between_dates between_datetimes between_times is_day_of_week is_month_end "
    "is_month_start is_weekday is_weekend on_date on_datetime",
    "prefect.schedules.adjustments": "add next_weekday",
    "prefect.triggers": "all_failed all_finished all_successful always_run any_failed any_successful manual_only "
    "not_all_skipped some_failed some_successful",
    "prefect.tasks.core.collections": "Dict List Set Tuple",
    "prefect.tasks.core.constants": "Constant",
    "prefect.tasks.core.function": "FunctionTask",
    "prefect.tasks.core.operators": "Add And Div Equal FloorDiv GetAttr GetItem GreaterThan GreaterThanOrEqual "
    "LessThan LessThanOrEqual Mod Mul Not NotEqual Or Pow Sub",
    "prefect.tasks.control_flow": "FilterTask case ifelse merge switch",
    "prefect.tasks.prefect": "CancelFlowRun RenameFlowRun StartFlowRun create_flow_run get_task_run_result "
    "wait_for_flow_run",
    "prefect.tasks.shell": "ShellTask",
    "prefect.tasks.secrets": "EnvVarSecret PrefectSecret",
    "prefect.tasks.notifications": "EmailTask SlackTask",
    "prefect.tasks.database": "SQLiteQuery SQLiteScript",
    "prefect.storage": "Azure Bitbucket CodeCommit Docker GCS Git GitHub GitLab Local Module S3 Storage Webhook",
    "prefect.run_configs": "DockerRun ECSRun KubernetesRun LocalRun RunConfig UniversalRun VertexRun",
    "prefect.utilities.edges": "EdgeAnnotation flatten mapped unmapped",
    "prefect.utilities.tasks": "apply_map as_task defaults_from_attrs pause_task tags task",
    "prefect.utilities.notifications": "callback_factory gmail_notifier slack_notifier",
    "prefect.utilities.logging": "get_logger",
    "prefect.utilities.debug": "raise_on_exception",
    "prefect.utilities.configuration": "set_temporary_config",
    "prefect.backend": "FlowRunView FlowView TaskRunView delete_key get_key_value list_keys set_key_value",
    "prefect.client": "Secret",
    "prefect.artifacts": "create_link create_link_artifact create_markdown create_markdown_artifact",
}


def test_what_flows_import_is_there():
    """
    Every name that the page about the classic API says users import.
    """
    names = {f"{module}.{name}" for module, words in CLASSIC.items() for name in words.split()}

    assert {name: why for name, why in answers(names).items() if why} == {}
