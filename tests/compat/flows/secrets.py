import os

os.environ["PREFECT__CONTEXT__SECRETS__API_KEY"] = '{"key": 5}'
os.environ["ORCHD__CONTEXT__SECRETS__API_KEY"] = '{"key": 5}'
os.environ["TOKEN"] = "t"
import prefect
from prefect import Flow, task
from prefect.client import Secret
from prefect.tasks.secrets import EnvVarSecret, PrefectSecret


@task
def uses(key, token):
    return key["key"], token, prefect.client.Secret("API_KEY").get()["key"]


with Flow("secrets") as flow:
    uses(PrefectSecret("API_KEY"), EnvVarSecret("TOKEN"))
