"""
What people write flows with, and what loads, describes, draws and runs them.
"""
