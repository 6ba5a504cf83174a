"""
Specs as values: equal means the same, and their texts do not depend on the order in which they were written.
"""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchd.model import specs
from orchd.model.specs import Overlap, RuleKind, ScheduleSpec, parameters_text


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers(-9, 9) | st.text(max_size=5), max_size=6))
def test_the_order_of_parameters_does_not_count(parameters: dict[str, object]) -> None:
    """
    Written in another order they are the same text, so that no edit is seen where there is none.
    """
    backwards = dict(reversed(parameters.items()))

    assert parameters_text(parameters) == parameters_text(backwards)
    assert parameters == msgspec.json.decode(parameters_text(parameters))


def test_a_schedule_comes_back_from_the_store_as_it_went() -> None:
    """
    An unchanged schedule is no edit after a restart.
    """
    spec = ScheduleSpec(name="n", flow="f", kind=RuleKind.CRON, rule="0 2 * * *", overlap=Overlap.QUEUE, grace_s=1.5)

    assert spec == msgspec.json.decode(msgspec.json.encode(spec), type=ScheduleSpec)


def test_a_description_comes_back_from_its_process_as_it_went() -> None:
    """
    Flows with all that hangs on them.
    """
    flow = specs.FlowSpec(
        name="f",
        file="/f.py",
        source_hash="aa",
        parameters=(specs.ParameterSpec(name="p", required=False, default=[1]),),
        tasks=(specs.TaskSpec(slug="a", name="A"), specs.TaskSpec(slug="b", name="B")),
        edges=(specs.EdgeSpec(upstream="a", downstream="b", key="x"),),
    )
    description = specs.Description(file="/f.py", source_hash="aa", flows=(flow,), warnings=("w",))

    assert description == msgspec.json.decode(msgspec.json.encode(description), type=specs.Description)
