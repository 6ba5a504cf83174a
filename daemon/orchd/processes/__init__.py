"""
The processes under the daemon (spawner, monitor, run), the folder they share, and the daemon's side of both.

``folder``, ``fence``, ``journal``, ``launch``, ``protocol`` and ``reaper`` are for the daemon and import no flow code.
"""
