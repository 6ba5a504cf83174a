from prefect import Flow, Parameter, case, task
from prefect.tasks.prefect import StartFlowRun, create_flow_run, wait_for_flow_run

with Flow("parent") as flow:
    wanted = Parameter("wanted", default=False)
    with case(wanted, True):
        child = create_flow_run(
            flow_name="child",
            project_name="main",
            parameters={"a": wanted},
            run_name="from the parent",
        )
        wait = wait_for_flow_run(
            child,
            stream_states=True,
            stream_logs=True,
            raise_final_state=True,
        )
