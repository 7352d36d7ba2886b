"""The page to look at: the org on ``http://localhost:PORT/`` as the people who work with it would want to see it.

It reads and never writes, as a viewer who sees everything, and needs no login because the port is on loopback only. It is
no interface for programs: nothing here is promised to stay. It knows no object by name; what an org has comes from its
metadata, and what matters to the people of a world from that world's ``page.yaml`` (see ``layout``).
"""
