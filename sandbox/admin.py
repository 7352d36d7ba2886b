"""The admin port: time, faults, tokens, retention, settings and statistics, as small JSON endpoints.

It is for tests and the demo only, is never what the connector talks to (but for ``GET /clock``), and needs no token.
Its invariant: an unknown member in a request is refused, so that a misspelt fault never goes unnoticed.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web
from pydantic import ValidationError

from sandbox.admin_bodies import ClockBody, GapBody, HideBody, RetentionBody, UsageBody, WhoBody
from sandbox.faults import FaultSpec
from sandbox.http.oauth import OAuth
from sandbox.http.platform import Platform
from sandbox.org.errors import OrgError
from sandbox.org.types import User
from sandbox.streaming.bus import EventBus
from sandbox.streaming.changes import gap_event
from sandbox.streaming.log import ALL_RETAINED, EventLog
from sandbox.tokens import GrantError, Tokens

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the admin port acts on; ``integration`` is the user the printed credentials belong to."""

    platform: Platform
    tokens: Tokens
    oauth: OAuth
    bus: EventBus
    log: EventLog
    integration: User


class Admin:
    """Answers everything on the admin port."""

    def __init__(self, parts: Parts) -> None:
        self._platform = parts.platform
        self._tokens = parts.tokens
        self._oauth = parts.oauth
        self._broker = parts.bus.broker
        self._channels = parts.bus.channels
        self._log = parts.log
        self._integration = parts.integration

    def routes(self, app: web.Application) -> None:
        """Register the routes."""
        app.middlewares.append(_plain_errors)
        gets: dict[str, Answer] = {
            "/health": self.on_health,
            "/clock": self.on_clock,
            "/faults": self.on_faults,
            "/stats": self.on_stats,
            "/settings": self.on_settings,
            "/events": self.on_events,
            "/streams": self.on_streams,
            "/channels": self.on_channels,
            "/users": self.on_users,
            "/ignored": self.on_ignored,
        }
        posts: dict[str, Answer] = {
            "/clock": self.on_set_clock,
            "/faults": self.on_arm,
            "/stats/reset": self.on_reset,
            "/settings": self.on_set,
            "/usage": self.on_usage,
            "/streams/drop": self.on_drop,
            "/tokens/issue": self.on_issue,
            "/tokens/expire": self.on_expire,
            "/tokens/revoke": self.on_revoke,
            "/retention": self.on_retention,
            "/gap": self.on_gap,
            "/hide": self.on_hide,
            "/unhide": self.on_unhide,
        }
        for path, answer in gets.items():
            app.router.add_get(path, answer)
        for path, answer in posts.items():
            app.router.add_post(path, answer)
        app.router.add_delete("/faults", self.on_clear)
        app.router.add_delete("/faults/{number}", self.on_clear)

    async def on_health(self, _request: web.Request) -> web.StreamResponse:
        """``GET /health``."""
        return _json({"status": "ok", "instance_url": self._platform.instance_url, "org_id": self._platform.org.org_id})

    async def on_clock(self, _request: web.Request) -> web.StreamResponse:
        """``GET /clock``: the org's time."""
        clock = self._platform.org.clock
        return _json({"now": clock.now().isoformat(), "frozen": clock.frozen, "speed": clock.speed})

    async def on_set_clock(self, request: web.Request) -> web.StreamResponse:
        """``POST /clock``: set or move the org's time."""
        body = ClockBody.model_validate(await _read(request))
        if body.now is not None:
            self._platform.org.clock.set(body.now.astimezone(UTC))
        if body.advance_seconds is not None:
            self._platform.org.clock.advance(body.advance_seconds)
        if body.speed is not None:
            self._platform.org.clock.run(body.speed)
        return await self.on_clock(request)

    async def on_faults(self, _request: web.Request) -> web.StreamResponse:
        """``GET /faults``: all faults, armed or spent."""
        return _json([fault.as_json() for fault in self._platform.faults.list()])

    async def on_arm(self, request: web.Request) -> web.StreamResponse:
        """``POST /faults``: arm one fault or a list of them."""
        body = await _read(request)
        specs = [FaultSpec.model_validate(one) for one in (body if isinstance(body, list) else [body])]
        return _json([self._platform.faults.arm(spec).as_json() for spec in specs])

    async def on_clear(self, request: web.Request) -> web.StreamResponse:
        """``DELETE /faults[/{id}]``."""
        number = request.match_info.get("number")
        self._platform.faults.clear(int(number) if number else None)
        return await self.on_faults(request)

    async def on_stats(self, _request: web.Request) -> web.StreamResponse:
        """``GET /stats``: what was served since the last reset."""
        self._platform.usage.counts["faults"] = self._platform.faults.fired
        return _json(self._platform.usage.snapshot())

    async def on_reset(self, request: web.Request) -> web.StreamResponse:
        """``POST /stats/reset``."""
        self._platform.usage.reset()
        self._platform.faults.fired = 0
        return await self.on_stats(request)

    async def on_settings(self, _request: web.Request) -> web.StreamResponse:
        """``GET /settings``."""
        return _json(self._platform.options.model_dump())

    async def on_set(self, request: web.Request) -> web.StreamResponse:
        """``POST /settings``: change some options."""
        body = await _read(request)
        changed = type(self._platform.options).model_validate(
            {**self._platform.options.model_dump(), **(body if isinstance(body, dict) else {})}
        )
        for name, value in changed.model_dump().items():
            setattr(self._platform.options, name, value)
        return await self.on_settings(request)

    async def on_usage(self, request: web.Request) -> web.StreamResponse:
        """``POST /usage``: set the counters that feed limits."""
        body = UsageBody.model_validate(await _read(request))
        now = self._platform.org.clock.now()
        if body.api_calls is not None:
            self._platform.usage.calls.set(now, body.api_calls)
        if body.events_delivered is not None:
            self._platform.usage.deliveries.set(now, body.events_delivered)
        if body.events_published is not None:
            self._platform.usage.publications.set(now, body.events_published)
        return _json(
            {
                "api_calls": self._platform.used_calls(),
                "events_delivered": self._platform.used_deliveries(),
                "events_published": self._platform.used_publications(),
            }
        )

    async def on_events(self, request: web.Request) -> web.StreamResponse:
        """``GET /events?channel=&since=``: the retained events of a channel."""
        events = self._log.since(request.query["channel"], int(request.query.get("since", ALL_RETAINED)))
        rows = [
            {"replay_id": one.replay_id, "event_uuid": one.event_uuid, "at": one.at.isoformat(), "payload": one.payload} for one in events
        ]
        return _json(rows)

    async def on_streams(self, _request: web.Request) -> web.StreamResponse:
        """``GET /streams``: the streaming sessions."""
        clients = self._broker.clients.values()
        rows = [
            {"client_id": one.client_id, "user_id": one.user_id, "polling": one.polling, "subscriptions": [*one.subscriptions]}
            for one in clients
        ]
        return _json(rows)

    async def on_channels(self, _request: web.Request) -> web.StreamResponse:
        """``GET /channels``: every channel with what feeds it, and selections of what has no events here."""
        return _json({"channels": {one.name: one.sources for one in self._channels}, "unknown": self._channels.unknown})

    async def on_drop(self, request: web.Request) -> web.StreamResponse:
        """``POST /streams/drop``: forget the streaming sessions (``403::Unknown client`` follows)."""
        return _json({"dropped": self._broker.drop(user_id=self._user_id(WhoBody.model_validate(await _read(request))))})

    async def on_users(self, _request: web.Request) -> web.StreamResponse:
        """``GET /users``."""
        users = self._platform.org.users.values()
        return _json([{"id": one.id, "username": one.username, "name": one.name, "is_admin": one.is_admin} for one in users])

    async def on_ignored(self, _request: web.Request) -> web.StreamResponse:
        """``GET /ignored``: metadata that was found and is not carried out."""
        return _json([asdict(one) for one in self._platform.org.schema.ignored])

    async def on_issue(self, request: web.Request) -> web.StreamResponse:
        """``POST /tokens/issue``: an access token for any user."""
        return _json(self._oauth.issue(WhoBody.model_validate(await _read(request)).username or self._integration.username))

    async def on_expire(self, request: web.Request) -> web.StreamResponse:
        """``POST /tokens/expire``: access tokens stop working; refreshing works."""
        body = WhoBody.model_validate(await _read(request))
        return _json({"ended": len(self._tokens.expire(self._user_id(body), body.access_token))})

    async def on_revoke(self, request: web.Request) -> web.StreamResponse:
        """``POST /tokens/revoke``: access and refresh tokens stop working, streaming sessions end."""
        body = WhoBody.model_validate(await _read(request))
        return _json({"ended": len(self._tokens.revoke(self._user_id(body), body.access_token))})

    async def on_retention(self, request: web.Request) -> web.StreamResponse:
        """``POST /retention``: forget events, so that stored replay ids are refused."""
        body = RetentionBody.model_validate(await _read(request))
        limit: int | datetime = body.before_replay_id or body.before or self._log.last_replay_id() + 1
        if body.hours is not None:
            limit = self._platform.org.clock.now() - timedelta(hours=body.hours)
        return _json({"forgotten": self._log.expire_before(limit)})

    async def on_gap(self, request: web.Request) -> web.StreamResponse:
        """``POST /gap``: publish a gap event."""
        body = GapBody.model_validate(await _read(request))
        event = gap_event(body.sobject, body.ids, body.kind, self._platform.org.clock.now(), self._integration.id)
        replay_id = self._log.append(event.channel, event.payload, event_uuid=event.event_uuid, at=self._platform.org.clock.now())
        return _json({"replay_id": replay_id})

    async def on_hide(self, request: web.Request) -> web.StreamResponse:
        """``POST /hide``: make records invisible to a user."""
        body = HideBody.model_validate(await _read(request))
        self._platform.org.hide(body.sobject, body.ids or [], self._hidden_from(body))
        return _json({"hidden": len(body.ids or [])})

    async def on_unhide(self, request: web.Request) -> web.StreamResponse:
        """``POST /unhide``: make records visible again."""
        body = HideBody.model_validate(await _read(request))
        self._platform.org.unhide(body.sobject, body.ids, self._hidden_from(body))
        return _json({"visible": True})

    def _hidden_from(self, body: HideBody) -> str:
        return self._named(body.username).id if body.username else self._integration.id

    def _user_id(self, body: WhoBody) -> str | None:
        return self._named(body.username).id if body.username else None

    def _named(self, username: str) -> User:
        user = self._platform.org.user_by_name(username)
        if user is None:
            raise ValueError(f"there is no user {username}")
        return user


@web.middleware
async def _plain_errors(request: web.Request, handler: Answer) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as problem:
        return _json({"error": [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors()]}, 400)
    except (ValueError, KeyError, re.error, OrgError, GrantError, LookupError) as problem:
        return _json({"error": str(problem)}, 400)


async def _read(request: web.Request) -> object:
    raw = await request.read()
    body: object = json.loads(raw) if raw.strip() else {}
    return body


def _json(value: object, status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
