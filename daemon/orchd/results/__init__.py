"""
Where values of tasks are kept: what a result is, how it becomes bytes, and where it lies on disk.
"""
