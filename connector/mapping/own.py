"""Names of Dunwell's own objects, fields and events in the org (shipped in ``force-app/``).

Must not hold logic. Invariant: every name here exists in ``force-app/``; a test compares the two.
"""

from typing import Final

POSITION: Final = "Dunwell_Position__c"
FOLLOW_UP: Final = "Dunwell_Follow_Up__c"
ATTEMPT: Final = "Dunwell_Attempt__c"
HOLD: Final = "Dunwell_Hold__c"
PROMISE: Final = "Dunwell_Promise__c"
PLAN: Final = "Dunwell_Plan__c"
RUN: Final = "Dunwell_Run__c"
OUTCOME_EVENT: Final = "Payment_Outcome__e"
DECIDED_EVENT: Final = "Follow_Up_Decided__e"
KEY: Final = "Dunwell_Key__c"
"""Unique external id on every own object, on Activity (so on Task), and on payments Dunwell records."""

OUTCOME_CHANNEL: Final = "/event/Payment_Outcome__e"
CALL_OUTCOME: Final = "Dunwell_Call_Outcome__c"
"""What came of a call; on Activity (so on Task), said by the person who called."""

CHANGE_CHANNELS: Final = ("/data/Dunwell__chn",)
"""Change Data Capture only for what people change (design: deliveries are few, and ignored ones count), each kind filtered on one channel."""

EVENT_VERSIONS: Final = ("1", "1.0")
"""Versions of ``Payment_Outcome__e`` this code understands; empty counts as 1."""
