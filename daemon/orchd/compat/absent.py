"""
The one table of old names that mean nothing here, and why. Whoever imports one is told so.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SERVICE: Final = "tasks for services are not part of orchd; call the service's own Python package in a task"
SERVER: Final = "it speaks to the classic server; ask the daemon instead: `orchd --help`, or `orchd.client`"
SHOWN: Final = "an artifact is a line of the log here, which nobody changes"
PLAIN: Final = "hardly any flow used it, and a line of Python does the same in a task"
INSIDE: Final = "it is a part of the classic tool's inside, not of its way of writing flows"

#: Old module that holds tasks for a service -> nothing below it means anything here.
_SERVICES: Final = (
    "airbyte airtable asana aws azure azureml census cubejs databricks dbt docker dremio dropbox exasol firebolt "
    "fivetran gcp github great_expectations gsheets hightouch jira jupyter kafka kubernetes mixpanel monday "
    "monte_carlo mysql neo4j postgres powershell prometheus redis rss sendgrid sftp snowflake sodaspark sodasql spacy "
    "sql_server toloka transform trello twitter zendesk notifications.pushbullet_task secrets.vault_secret"
).split()

#: Old module or name -> why it is not here. What is below a module is not here either.
ABSENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prefect.agent": "`orchd serve` is the agent, too",
        "prefect.api": SERVER,
        "prefect.artifacts.delete_artifact": SHOWN,
        "prefect.artifacts.update_link_artifact": SHOWN,
        "prefect.artifacts.update_markdown_artifact": SHOWN,
        "prefect.backend.TenantView": "there are no tenants",
        "prefect.backend.execution": SERVER,
        "prefect.backend.tenant": "there are no tenants",
        "prefect.cli": "the commands are those of `orchd --help`",
        "prefect.engine.cloud": SERVER,
        "prefect.engine.get_default_executor_class": INSIDE,
        "prefect.engine.get_default_flow_runner_class": INSIDE,
        "prefect.engine.get_default_task_runner_class": INSIDE,
        "prefect.engine.result_handlers": "result handlers ended with Prefect 0.13; write `result=LocalResult(...)`",
        "prefect.engine.results.AzureResult": "results are kept on disk, in S3 or in Google Cloud Storage",
        "prefect.engine.results.azure_result": "results are kept on disk, in S3 or in Google Cloud Storage",
        "prefect.environments.Environment": "environments ended with Prefect 0.14; a run is a process of its own",
        "prefect.environments.LocalEnvironment": "environments ended with Prefect 0.14; a run is a process of its own",
        "prefect.environments.execution": "environments ended with Prefect 0.14; a run is a process of its own",
        "prefect.exceptions.AuthorizationError": SERVER,
        "prefect.exceptions.ClientError": SERVER,
        "prefect.exceptions.VersionLockMismatchSignal": SERVER,
        "prefect.exceptions.ObjectNotFoundError": SERVER,
        "prefect.hello_world": "`orchd init` writes a first flow",
        "prefect.models": SERVER,
        "prefect.plugins": INSIDE,
        "prefect.serialization": INSIDE,
        "prefect.tasks.files": PLAIN,
        "prefect.tasks.notifications.PushbulletTask": SERVICE,
        "prefect.tasks.templates": PLAIN,
        "prefect.utilities.agent": INSIDE,
        "prefect.utilities.aws": INSIDE,
        "prefect.utilities.backend": INSIDE,
        "prefect.utilities.cli": INSIDE,
        "prefect.utilities.collections": INSIDE,
        "prefect.utilities.compatibility": INSIDE,
        "prefect.utilities.datetimes": PLAIN,
        "prefect.utilities.debug.is_serializable": INSIDE,
        "prefect.utilities.diagnostics": INSIDE,
        "prefect.utilities.executors": INSIDE,
        "prefect.utilities.filesystems": INSIDE,
        "prefect.utilities.gcp": INSIDE,
        "prefect.utilities.git": INSIDE,
        "prefect.utilities.graphql": SERVER,
        "prefect.utilities.importtools": INSIDE,
        "prefect.utilities.kubernetes": INSIDE,
        "prefect.utilities.notifications.jira_notification": SERVICE,
        "prefect.utilities.notifications.jira_notifier": SERVICE,
        "prefect.utilities.notifications.snowflake_logger": SERVICE,
        "prefect.utilities.plugins": INSIDE,
        "prefect.utilities.serialization": INSIDE,
        "prefect.utilities.storage": INSIDE,
        **{f"prefect.tasks.{name}": SERVICE for name in _SERVICES},
    }
)


def why_absent(name: str) -> str | None:
    """
    Say in one sentence why the old name or module *name* means nothing here; None when that is not known.
    """
    part = name
    while part:
        if (why := ABSENT.get(part)) is not None:
            return f"{name} is not in orchd: {why}"

        part = part.rpartition(".")[0]

    return None
