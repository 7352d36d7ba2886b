"""What ``dunwell replay`` shows: a line for each decision of the log, and what came of all.

Must not decide or read a store. Invariant: decisions are told as they come, however many there are; the answer is how many
differ under the very policy they were made under.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable

from connector.cli.printing import complain, say
from connector.pipeline.logbook import Replayed, Verdict

WORDS = {
    Verdict.SAME: "same",
    Verdict.DIFFERENT: "DIFFERENT",
    Verdict.SAME_UNDER_OTHER: "same, though the policy has changed",
    Verdict.DIFFERENT_UNDER_OTHER: "the policy has changed, and would decide otherwise",
    Verdict.NO_BASIS: "cannot be replayed: the log does not hold what it rests on",
}


def show_replayed(found: Iterable[Replayed]) -> int:
    """Show each and count them; returns how many differ under the same policy."""
    counts: Counter[Verdict] = Counter()
    for one in found:
        counts[one.verdict] += 1
        made = f"{one.logged.policy} {one.logged.policy_version}"
        under = "" if made == f"{one.policy} {one.version}" else f" -> {one.policy} {one.version}"
        told = f"{one.logged.payer}  {one.logged.at:%Y-%m-%d %H:%M:%S}  {made}{under}  {WORDS[one.verdict]}"
        say(told if not one.differences else f"{told}: {'; '.join(one.differences)}")
    say(f"{counts.total()} decisions made once more" + "".join(f", {count} {verdict}" for verdict, count in sorted(counts.items())))
    if counts[Verdict.DIFFERENT]:
        complain("The same facts gave another decision under the same policy: Dunwell itself or its calendars have changed since.")
    return counts[Verdict.DIFFERENT]


def print_replayed(found: Iterable[Replayed]) -> int:
    """Print all as one JSON value; returns how many differ under the same policy."""
    counts = dict.fromkeys(Verdict, 0)
    sys.stdout.write('{"decisions": [')
    for at, one in enumerate(found):
        counts[one.verdict] += 1
        sys.stdout.write((",\n" if at else "\n") + json.dumps(one.plain()))
    sys.stdout.write(f'], "counts": {json.dumps({verdict.value: count for verdict, count in counts.items()})}}}\n')
    return counts[Verdict.DIFFERENT]
