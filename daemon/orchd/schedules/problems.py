"""
The error of a rule that cannot be meant.
"""


class RuleError(ValueError):
    """
    A schedule's rule cannot be meant; one sentence: what, which value, what to write instead.
    """
