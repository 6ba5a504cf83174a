"""
orchd: flows written the classic way, started on time by one daemon.
"""
