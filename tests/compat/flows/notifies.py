from functools import partial

from prefect import Flow, task
from prefect.engine.state import Failed
from prefect.tasks.notifications import EmailTask, SlackTask
from prefect.tasks.notifications.email_task import EmailTask as Mail
from prefect.utilities.notifications import slack_notifier, gmail_notifier

only_failures = slack_notifier(only_states=[Failed], webhook_secret="HOOK")
mails = EmailTask(subject="done", email_to="me@example.org", smtp_type="INSECURE")


@task(state_handlers=[only_failures])
def good():
    return isinstance(mails, Mail), SlackTask(message="hi").message


with Flow("notifies") as flow:
    good()
