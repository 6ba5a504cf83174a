"""
Tasks that come with orchd.
"""
