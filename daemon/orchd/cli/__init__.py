"""
The command line: thin commands over the daemon's API, and what a person sees of their answers.
"""
