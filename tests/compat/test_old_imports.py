"""
Flow files of the old names.
"""

import subprocess
import sys
import textwrap

OLD = """
import prefect
from prefect import Flow, Parameter, case, task, unmapped
from prefect.engine.results import LocalResult
from prefect.engine.signals import PrefectStateSignal, SKIP
from prefect.engine.state import *
from prefect.tasks.control_flow import merge
from prefect.tasks.shell import ShellTask
from prefect.utilities.edges import flatten


@task
def add(x, y):
    prefect.context.logger.info("adds")
    return x + y


with Flow("old") as flow:
    total = add.map([1, 2], unmapped(Parameter("y", default=10)))

state = flow.run()
assert isinstance(state, Success)
print([child.result for child in state.result[total].map_states], prefect.config.flows.checkpointing)
"""


def run_python(text, **env):
    """
    Run *text* in an interpreter of its own, and return how it ended.
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], env=env, capture_output=True, text=True, check=False
    )


def test_an_old_file_runs_as_it_is():
    """
    After install() the old names are ours, and so are the old settings.
    """
    done = run_python("from orchd import compat\ncompat.install()\n" + OLD, PREFECT__FLOWS__CHECKPOINTING="true")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[11, 12] True"


def test_the_command_runs_an_old_file_as_it_is(tmp_path):
    """
    ``orchd run -p`` needs no install() in the file.
    """
    (tmp_path / "old.py").write_text(
        "from prefect import Flow, task\n\nwith Flow('old') as flow:\n    task(lambda: 1, name='one')()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "orchd", "run", "-p", str(tmp_path / "old.py")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Flow run succeeded!\n")


def test_handlers_of_the_old_logger_hear_ours():
    """
    A handler that a file hangs on the logger ``prefect`` hears flows and tasks.
    """
    done = run_python(
        """
        from orchd import compat
        compat.install()
        import logging, prefect
        heard = []
        handler = logging.Handler()
        handler.emit = lambda record: heard.append(record.getMessage())
        logging.getLogger("prefect").addHandler(handler)
        with prefect.Flow("f") as flow:
            prefect.task(lambda: logging.getLogger("prefect.mine").warning("mine"), name="one")()
        flow.run()
        print(heard)
        """
    )

    assert "Beginning Flow run for 'f'" in done.stdout, done.stderr
    assert "'mine'" in done.stdout


def test_without_install_the_old_names_are_unknown():
    """
    Nothing is mapped before somebody asks for it.
    """
    done = run_python("import orchd, orchd.compat, prefect")

    assert "No module named 'prefect'" in done.stderr


def test_the_old_package_itself_is_not_hidden(tmp_path):
    """
    Where the old package is installed, install() refuses.
    """
    (tmp_path / "prefect.py").write_text("")
    done = run_python("from orchd import compat\ncompat.install()", PYTHONPATH=str(tmp_path))

    assert "FlowError: a package named 'prefect' is installed here" in done.stderr


def test_what_is_not_there_is_said():
    """
    A name that means nothing here gives an error that says why.
    """
    done = run_python("from orchd import compat\ncompat.install()\nfrom prefect import plugins")

    assert "ImportError: prefect.plugins is not in orchd: it is a part of the classic tool's inside" in done.stderr


def test_settings_may_be_set_just_before_the_import():
    """
    As the classic tool read them in it, files set them there.
    """
    done = run_python(
        """
        from orchd import compat
        compat.install()
        import os
        os.environ["PREFECT__FLOWS__CHECKPOINTING"] = "true"
        import prefect
        print(prefect.config.flows.checkpointing, prefect.__version__)
        """
    )

    assert done.stdout == "True 1.4.1\n", done.stderr


def test_everything_may_be_taken_at_once():
    """
    ``from prefect import *`` takes what the classic tool gave, but for what is not there.
    """
    done = run_python(
        """
        from orchd import compat
        compat.install()
        from prefect import *
        from prefect.engine.signals import *
        print(Flow.__module__, unmapped.__name__, PrefectStateSignal.__name__)
        """
    )

    assert done.stdout == "orchd.flow.flow unmapped StateSignal\n", done.stderr
