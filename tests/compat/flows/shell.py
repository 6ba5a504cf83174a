from prefect import Flow
from prefect.tasks.shell import ShellTask

ls = ShellTask(command="printf 'a\\nb\\n'", return_all=True, helper_script="cd /")
fails = ShellTask(command="echo out; exit 4", name="fails")
env = ShellTask(env={"WHO": "you"}, name="env")

with Flow("shell") as flow:
    listed = ls()
    bad = fails()
    said = env(command="echo $WHO")

flow.set_reference_tasks([listed, said])
