"""
The classic API as a program: probes, what the classic tool says to each of them, and what we say differently.
"""
