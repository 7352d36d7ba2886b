"""The report of a pass: a page that a person reads in a minute, and the same as JSON.

Must not read an org, the store or a clock. Invariant: the same pass gives the same bytes; a page stands alone in one file and asks
nothing of any network.
"""

from connector.report.folder import KEEP, Folder
from connector.report.lines import lines

__all__ = ["KEEP", "Folder", "lines"]
