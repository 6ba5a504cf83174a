"""
One module for each revision; revisions count up as four digits.
"""
