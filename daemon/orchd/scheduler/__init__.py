"""
The daemon's loop: when the alarm rings or a run stirs, decide, write, launch. No rule about time lives here.
"""
