"""
Where task runs are executed.
"""
