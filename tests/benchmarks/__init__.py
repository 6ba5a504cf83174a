"""
Figures of orchd beside the bare limit of the machine; ``README.md`` says what each means.
"""
