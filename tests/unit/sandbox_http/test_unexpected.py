"""A fault of the sandbox's own: what the client is told, and that it is not hidden."""

import logging


def test_a_failure_of_the_sandbox_is_told_in_the_platforms_words_and_logged(box, call, admin, caplog):
    """HTTP 500 with UNKNOWN_EXCEPTION, nothing is written, the traceback is in the log and the count among the statistics."""

    def broken(_change):
        raise ZeroDivisionError("a trigger of ours is wrong")

    box.run(lambda: box.org.on_change.append(broken))
    with caplog.at_level(logging.ERROR, logger="sandbox"):
        reply = call("POST", "sobjects/Thing__c", json={"Name": "a"})
    (told,) = reply.json()
    assert (reply.status_code, told["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert told["message"].startswith("An unexpected error occurred. Please include this ErrorId if you contact support: ")
    assert "a trigger of ours is wrong" in caplog.text
    assert "POST /services/data/v66.0/sobjects/Thing__c" in caplog.text
    assert admin("/stats")["unexpected"] == 1
    box.run(box.org.on_change.clear)
    assert call("GET", "query", params={"q": "SELECT COUNT() FROM Thing__c"}).json()["totalSize"] == 0
