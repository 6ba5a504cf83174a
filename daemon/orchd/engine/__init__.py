"""
Runs graphs of tasks: decisions in ``decide``, one task run in ``task_runner``, one flow run in ``flow_runner``.
"""
