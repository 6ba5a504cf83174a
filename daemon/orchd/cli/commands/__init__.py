"""
One module for each command or small family of commands: its arguments, and what it does with them.
"""
