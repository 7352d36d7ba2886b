"""The page's addresses: requests in, HTML out.

Only GET and HEAD, only from a browser that asked for a loopback name (so that no website can read the org by pointing its
own name at this machine), with headers that let a page run no script and load nothing from elsewhere.
Invariant: a failure becomes a page of its own and never a half-written one.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.org import ids
from sandbox.org.errors import OrgError
from sandbox.org.org import Org
from sandbox.org.schema import ObjectType
from sandbox.org.setup import ListView
from sandbox.page.desk import Desk, UnknownFieldError
from sandbox.page.home import home
from sandbox.page.layout import Layout
from sandbox.page.lists import list_page, list_views
from sandbox.page.payer import payer_page
from sandbox.page.record import record_page
from sandbox.page.search import search_page
from sandbox.page.values import day

_HERE = Path(__file__).parent
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FILES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
Handler = Callable[[web.Request], web.StreamResponse]


class Site:
    """Serves the page of one org."""

    def __init__(self, org: Org, layout: Layout, user_id: str) -> None:
        self._desk = Desk(org, layout, user_id)
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters["day"] = day

    def routes(self, app: web.Application) -> None:
        """Register the routes."""
        pages: dict[str, Handler] = {
            "/": self.on_home,
            "/page": self.on_home,
            "/page/objects": self.on_objects,
            "/page/search": self.on_search,
            "/page/list/{object}": self.on_list,
            "/page/list/{object}/{view}": self.on_list,
            "/page/record/{id}": self.on_record,
            "/page/record/{id}/fields": self.on_fields,
            "/page/files/{name}": self.on_file,
            "/page/{tail:.*}": self.on_nothing,
        }
        for path, handler in pages.items():
            app.router.add_get(path, self._guarded(handler))

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            host = request.host.lower()
            if host not in _LOOPBACK and host.rpartition(":")[0] not in _LOOPBACK:
                return self._message(421, "Not this address", "This page is shown under localhost only.")
            try:
                return handler(request)
            except UnknownFieldError as problem:
                return self._message(404, "Not found", f"{problem}.")
            except OrgError as problem:
                return self._message(problem.status if problem.status == 404 else 500, "The org refused", problem.message)

        return guarded

    def on_home(self, _request: web.Request) -> web.Response:
        """``/``: what needs attention."""
        return self._page("home.html", blocks=home(self._desk), lists=self._lists(), here="/")

    def on_objects(self, _request: web.Request) -> web.Response:
        """``/page/objects``: everything there is."""
        objects = sorted(self._desk.schema.records(), key=lambda one: one.label_plural)
        return self._page("objects.html", objects=[(one, self._desk.count(one)) for one in objects], here="/page/objects")

    def on_search(self, request: web.Request) -> web.Response:
        """``/page/search?q=``: records by name or reference."""
        found = search_page(self._desk, request.query.get("q", ""))
        if found.record_id is not None:
            raise web.HTTPSeeOther(f"/page/record/{found.record_id}", headers=_HEADERS)
        return self._page("search.html", found=found, asked=found.asked)

    def on_list(self, request: web.Request) -> web.Response:
        """``/page/list/{object}/{view}``: a list view."""
        found = list_page(self._desk, request.match_info["object"], request.match_info.get("view", ""), request.query)
        return self._page("list.html", found=found, here=f"/page/list/{found.one.name}")

    def on_record(self, request: web.Request) -> web.Response:
        """``/page/record/{id}``: a payer's page, or the fields of any other record."""
        record_id = ids.normal(request.match_info["id"])
        one = self._desk.schema.of_id(record_id) if record_id else None
        if record_id is None or one is None or one.name not in self._desk.layout.payers:
            return self.on_fields(request)
        found = payer_page(self._desk, one, record_id)
        return self._page("payer.html", found=found, here=f"/page/list/{one.name}") if found else self._gone()

    def on_fields(self, request: web.Request) -> web.Response:
        """``/page/record/{id}/fields``: all fields of a record."""
        record_id = ids.normal(request.match_info["id"])
        one = self._desk.schema.of_id(record_id) if record_id else None
        found = record_page(self._desk, one, record_id) if one is not None and record_id is not None else None
        return self._page("record.html", found=found, here=f"/page/list/{found.one.name}") if found else self._gone()

    def on_file(self, request: web.Request) -> web.Response:
        """``/page/files/{name}``: the style sheet and the icon."""
        name = request.match_info["name"]
        if name not in _FILES:
            return self.on_nothing(request)
        headers = {**_HEADERS, "Cache-Control": "max-age=60"}
        return web.Response(body=(_HERE / name).read_bytes(), content_type=_FILES[name], charset="utf-8", headers=headers)

    def on_nothing(self, _request: web.Request) -> web.Response:
        """Any other address."""
        return self._message(404, "Not found", "There is no such page.")

    def _lists(self) -> list[tuple[str, list[ListView], str]]:
        """The list views of the objects in the navigation: what there is to see where a layout says nothing of what matters."""
        if self._desk.layout.home:
            return []
        return [(one.label_plural, list_views(self._desk, one), one.name) for one in self._tabs()]

    def _tabs(self) -> list[ObjectType]:
        """The objects in the navigation: those of the layout, else those that have list views."""
        desk = self._desk
        names = desk.layout.tabs or sorted({view.object for view in desk.schema.list_views})
        return [desk.schema.objects[name] for name in names if name in desk.schema.objects]

    def _gone(self) -> web.Response:
        return self._message(404, "Not found", "There is no such record, or it lies in the recycle bin.")

    def _message(self, status: int, title: str, text: str) -> web.Response:
        return self._page("message.html", status=status, heading=title, text=text)

    def _page(self, template: str, *, status: int = 200, here: str = "", asked: str = "", **values: object) -> web.Response:
        text = self._templates.get_template(template).render(**self._around(here, asked), **values)
        return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)

    def _around(self, here: str, asked: str) -> Mapping[str, object]:
        """What every page shows: the org's name and time, and where one can go."""
        desk = self._desk
        tabs = [(one.label_plural, f"/page/list/{one.name}") for one in self._tabs()]
        return {
            "title": desk.title,
            "now": desk.now(),
            "frozen": desk.org.clock.frozen,
            "zone": desk.org.time_zone,
            "tabs": tabs,
            "here": here,
            "asked": asked,
        }
