"""What a client is told when the sandbox itself fails: the platform's words for a fault of its own.

It mends nothing and hides nothing: the traceback goes to the log (stderr, where nobody set it up otherwise) and is counted as
``unexpected`` among the statistics. Its invariant: a client of the API gets JSON with UNKNOWN_EXCEPTION, never a page of the
web server. Source: answers with an ErrorId as many public issue threads quote them.
"""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.http.sending import response_of
from sandbox.http.wire import Reply, error
from sandbox.usage import Usage

_LOG = logging.getLogger("sandbox")
_API = ("services/", "id/")


def unknown(number: int = 1) -> Reply:
    """The platform's answer to what it did not expect."""
    words = f"An unexpected error occurred. Please include this ErrorId if you contact support: {number}-1 (1)"
    return error(500, "UNKNOWN_EXCEPTION", words)


def guard(usage: Usage) -> Middleware:
    """Make the middleware that answers API requests whose handler fails; counts them among the statistics."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            if not request.path.lstrip("/").startswith(_API) or request.writer.output_size:
                raise
            usage.counts["unexpected"] += 1
            _LOG.exception("unexpected %d: %s %s", usage.counts["unexpected"], request.method, request.path)
            return response_of(unknown(usage.counts["unexpected"]), {}, request.headers)

    return answer
