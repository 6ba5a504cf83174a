"""
Rewriting old imports.
"""

import pytest

from orchd.compat.fixing import fix

CASES = {
    "plain": ("import prefect\nprefect.task\n", "import orchd\norchd.task\n"),
    "alias": ("import prefect as p\np.task(p.engine.signals.SKIP)\n", "import orchd as p\np.task(p.SKIP)\n"),
    "among others": ("import os, prefect, sys\nprefect.Flow\n", "import os, orchd, sys\norchd.Flow\n"),
    "submodule": ("import prefect.schedules\nprefect.schedules.CronSchedule\n", "import orchd\norchd.CronSchedule\n"),
    "submodule as": ("import prefect.engine.state as s\ns.Failed\n", "import orchd.engine.state as s\ns.Failed\n"),
    "from": ("from prefect import Flow as F, task\n", "from orchd import Flow as F, task\n"),
    "renamed": (
        "from prefect.engine.signals import PrefectStateSignal\n",
        "from orchd.engine.signals import StateSignal as PrefectStateSignal\n",
    ),
    "two homes": (
        "if True:\n    from prefect.engine.results import LocalResult, PrefectResult as P  # kept\n",
        "if True:\n    from orchd import LocalResult\n    from orchd.results.inline import InlineResult as P  # kept\n",
    ),
    "two homes in one line": (
        "if True: from prefect.engine.results import LocalResult, PrefectResult\n",
        "if True: from orchd import LocalResult; from orchd.results.inline import InlineResult as PrefectResult\n",
    ),
    "a module": ("from prefect.engine import signals\nsignals.SKIP\n", "from orchd import signals\nsignals.SKIP\n"),
    "a module of several": (
        "from prefect.engine import results as r\nr.LocalResult\n",
        "import orchd\norchd.LocalResult\n",
    ),
    "a name of a module": (
        "from prefect.engine import signals\nsignals.PrefectSignal\n",
        "from orchd import signals\nsignals.Signal\n",
    ),
    "deep": (
        "import prefect\nprefect.config.flows.checkpointing\n",
        "import orchd, orchd.engine.settings\norchd.engine.settings.config.flows.checkpointing\n",
    ),
    "star": ("from prefect.engine.state import *\n", "from orchd.engine.state import *\n"),
    "shadowed": (
        "import prefect\ndef f(prefect):\n    return prefect.task\nlambda prefect: prefect.task\n",
        "import orchd\ndef f(prefect):\n    return prefect.task\nlambda prefect: prefect.task\n",
    ),
    "default of an argument": (
        "import prefect\ndef f(x=prefect.context):\n    def g():\n        return prefect.task\n",
        "import orchd\ndef f(x=orchd.context):\n    def g():\n        return orchd.task\n",
    ),
    "CRLF": ("import prefect\r\nprefect.task\r\n", "import orchd\r\norchd.task\r\n"),
    "texts": ("import prefect\n'prefect.task' # prefect.task\n", "import orchd\n'prefect.task' # prefect.task\n"),
    "not ASCII": ("import prefect\n'ü'; prefect.task\n", "import orchd\n'ü'; orchd.task\n"),
    "f-string": ('import prefect\nf"{prefect.context.today}"\n', 'import orchd\nf"{orchd.context.today}"\n'),
    "another package": ("import prefect_aws\nfrom prefects import x\n", "import prefect_aws\nfrom prefects import x\n"),
    "comments of several lines": (
        "from prefect.engine.results import (\n    # disk\n    LocalResult,  # here\n    PrefectResult,  # inline\n)\n",
        "from orchd import (\n    # disk\n    LocalResult,  # here\n)\n"
        "from orchd.results.inline import (\n    InlineResult as PrefectResult,  # inline\n)\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_old_names_become_ours(case):
    """
    Each way of importing and of using, with everything around it as it was.
    """
    old, new = CASES[case]

    assert fix(old.encode()).source.decode() == new
    assert fix(new.encode()).source.decode() == new


def test_what_means_nothing_here_stays_and_is_told():
    """
    An import with such a name keeps it apart; a module with such a use stays beside ours.
    """
    done = fix(b"from prefect import plugins, task\nimport prefect\nprefect.plugins\nprefect.task\n")

    assert done.source == (
        b"from prefect import plugins\nfrom orchd import task\nimport prefect, orchd\nprefect.plugins\norchd.task\n"
    )
    assert [(each.line, each.name) for each in done.left] == [(1, "prefect.plugins"), (3, "prefect.plugins")]
    assert done.left[0].why.startswith("prefect.plugins is not in orchd: it is a part of")


def test_texts_that_name_the_old_package_are_told():
    """
    Nobody can know whether they are names or words, so they stay.
    """
    done = fix(b"import prefect, os\nos.environ['PREFECT__FLOWS__CHECKPOINTING'] = 'true'\n'the prefect of Paris'\n")

    assert done.texts == ((2, "PREFECT__FLOWS__CHECKPOINTING"),)
    assert done.left == ()


def test_each_change_is_told():
    """
    Line, what stood there and what stands there now.
    """
    done = fix(b"\nfrom prefect import Flow\n")

    assert [(each.line, each.old, each.new) for each in done.changes] == [(2, "prefect", "orchd")]
