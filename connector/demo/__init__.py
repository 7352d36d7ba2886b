"""The whole story on a local sandbox org: real processes, real HTTP, a clock that walks through the weeks.

Must not decide anything itself or look inside the daemon. Invariant: everything shown was read back from the
org; a story counts as told only if every one of its expectations holds there.
"""

from connector.demo.play import Told, play
from connector.demo.show import how_to_look, show

__all__ = ["Told", "how_to_look", "play", "show"]
