"""
Ids, states, and frozen records that every other room speaks in. Pure: nothing here acts.
"""
