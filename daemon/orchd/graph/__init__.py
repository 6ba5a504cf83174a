"""
The shape of a flow: edges, order, cycles, and the rules that judge upstream states. Pure.
"""
