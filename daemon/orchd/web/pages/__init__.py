"""
The pages: rendered here, whole without a script, and live with one.
"""
