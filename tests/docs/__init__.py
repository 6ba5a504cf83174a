"""
Documents against the code.
"""
