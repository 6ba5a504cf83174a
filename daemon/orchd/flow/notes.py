"""
What a flow says of where it is kept and run, which has no meaning here: its labels, and a sentence for each setting.
"""

from orchd.flow.elsewhere import Note
from orchd.flow.flow import Flow


def labels_of(flow: Flow) -> tuple[str, ...]:
    """
    Return the labels of the flow's run config and storage, sorted. Nobody chooses a run by them.
    """
    found: set[str] = set()
    for setting in (flow.run_config, flow.storage):
        if isinstance(setting, Note):
            found.update(map(str, setting.labels))

    return tuple(sorted(found))


def notes_of(flow: Flow) -> tuple[str, ...]:
    """
    Return one sentence for each setting that is kept and means nothing here.
    """
    notes = []
    if flow.storage is not None:
        notes.append(f"storage {_said(flow.storage)} has no meaning here: the daemon reads the flow's own file")

    if flow.run_config is not None:
        notes.append(
            f"run_config {_said(flow.run_config)} has no meaning here: a run is a process on this host{_more(flow)}"
        )

    if labels := labels_of(flow):
        notes.append(f"labels {', '.join(labels)} are kept, and choose no agent: the daemon runs every flow")

    return tuple(notes)


def _said(setting: object) -> str:
    return type(setting).__name__


def _more(flow: Flow) -> str:
    env = vars(flow.run_config).get("env") if isinstance(flow.run_config, Note) else None
    if not isinstance(env, dict) or not env:
        return ""

    return f"; put its environment ({', '.join(sorted(map(str, env)))}) into [flows] env_file"
