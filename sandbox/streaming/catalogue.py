"""The errors of the streaming API: their texts and the shapes of the replies that carry them.

Words only; when to refuse is decided elsewhere. Its invariant: every ``error`` reads ``code::text``, and what is advised beside
it follows from the error alone.
Source: D.3 of the platform notes and "Streaming API Error Codes" (version 67.0); the braces around a channel or replay id and
the two spaces in the text about replay ids are as recorded from real orgs (aiosfstream documentation, CometD.NetCore.Salesforce).
"""

Message = dict[str, object]

AUTHENTICATION_INVALID = "401::Authentication invalid"
AUTHENTICATION_MISSING = "401::Request requires authentication"
CHANNEL_NOT_NAMED = "400::Channel name not specified"
CHANNEL_WITHOUT_SLASH = "400::Channel subscriptions must start with a leading '/'"
CLIENTS_EXHAUSTED = "403::Organization concurrent user limit exceeded"
DELIVERIES_EXHAUSTED = "403::Organization total events daily limit exceeded"
GENERIC_CHANNEL_UNKNOWN = "404::Unknown channel"
HANDSHAKE_DENIED = "403::Handshake denied"
HANDSHAKE_MISSING = "403::Client has not completed handshake"
REQUEST_TOO_LARGE = "413::Maximum Request Size Exceeded"
RESTRICTED_CHANNEL = "403::Restricted channel"
UNKNOWN_CLIENT = "403::Unknown client"
USER_DIFFERS = "400::Authenticated user id does not match the session's user id"
VERSION_MISSING = "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"
VERSION_UNSUPPORTED = "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/66.0'"
VIEW_ALL_DATA_MISSING = "403::User not allowed to subscribe CDC without View All Data permissions"

EXT: Message = {"replay": True, "payload.format": True}
NO_MORE: Message = {"reconnect": "none", "interval": 0}
SHAKE_HANDS: Message = {"interval": 0, "reconnect": "handshake"}


def channel_unknown(channel: str) -> str:
    """A subscription to a channel that the org does not have."""
    return f"400::The channel you requested to subscribe to doesn't exist {{{channel}}}"


def connection_type(wanted: object) -> str:
    """A transport other than long polling."""
    return f"400::Invalid connection type {{{wanted}}}"


def cookie_missing(client_id: str, cookie: str) -> str:
    """A session whose cookie did not come back."""
    return f"400::Client {client_id} has established a session, but no {cookie} cookie present"


def replay_id_invalid(replay_id: object) -> str:
    """A replay id that is no longer retained or was never issued."""
    ways = "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
    return f"400::The replayId {{{replay_id}}} you provided was invalid.  {ways}"


def reply_to(message: Message, *, client_id: str | None = None) -> Message:
    """The beginning of a reply: whose it is, on which meta channel, to which message and about which subscription."""
    channel = message.get("channel")
    reply: Message = {} if client_id is None else {"clientId": client_id}
    reply |= {"channel": channel, "id": message.get("id")}
    if channel in {"/meta/subscribe", "/meta/unsubscribe"}:
        reply["subscription"] = message.get("subscription")
    return reply


def failed(reply: Message, error: str, advice: Message | None = None) -> Message:
    """A reply that says no."""
    advised = {} if advice is None else {"advice": dict(advice)}
    return reply | advised | {"error": error, "successful": False}


def unknown_client(message: Message) -> Message:
    """The session is not known (any more): begin anew. As recorded, without a ``clientId``."""
    return failed(reply_to(message), UNKNOWN_CLIENT, SHAKE_HANDS)


def authentication_ended(message: Message, client_id: str) -> Message:
    """The token of a session is no longer good: stop."""
    return failed(reply_to(message, client_id=client_id), AUTHENTICATION_INVALID, NO_MORE)


def handshake_denied(message: Message, reason: str, advice: Message | None = None) -> Message:
    """No session; why stands in ``ext.sfdc.failureReason``."""
    ext: Message = {"sfdc": {"failureReason": reason}, **EXT}
    return failed(reply_to(message) | {"ext": ext}, HANDSHAKE_DENIED, {"reconnect": "none"} if advice is None else advice)
