"""The sandbox as an app: `/v1/videos` as OpenAI's API had it, or as the server does whose dress it wears."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import Any
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.sandbox.debug import Debug
from pipeline.sandbox.doors import Door, doors
from pipeline.sandbox.downloads import Downloads
from pipeline.sandbox.dress import Dress, own_dress
from pipeline.sandbox.elsewhere import Elsewhere
from pipeline.sandbox.gate import Gate, Tally
from pipeline.sandbox.gateway import Gateway
from pipeline.sandbox.looks import Looks
from pipeline.sandbox.refusal import Refused
from pipeline.sandbox.results import Results
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.store import Store
from pipeline.sandbox.submits import Submits

Endpoint = Callable[[Request], Awaitable[Any]]
"""A route: it gives an ASGI response. Raises `Refused`."""


def create_app(
    store: Store,
    settings: Settings,
    key: str,
    clock: Callable[[], float] = time,
    *,
    second_port: int | None = None,
    dress: Dress | None = None,
) -> Starlette:
    """The sandbox as an ASGI app, to be served with `line.Line` as the protocol.

    *key* is what clients must show; *clock* gives Unix seconds. Links and redirects lead to *second_port*, where the
    same app is. *dress*: of the server that it stands in for; `None`: it is itself.
    """
    worn = dress or own_dress()
    doors_there = doors(worn.profile)
    tally = Tally(doors_there)
    gateway = Gateway(store, settings, clock, worn)
    elsewhere = Elsewhere(key, second_port, worn.profile.wire.auth.header)
    downloads = Downloads(gateway, elsewhere)
    endpoints = _endpoints(gateway, downloads)
    app = Starlette(
        routes=[
            *(_route(door, endpoints[door.call], worn) for door in doors_there),
            Route(_with_segment(Elsewhere.ROUTE), downloads.elsewhere, methods=["GET"]),
            *_debug_routes(Debug(gateway, tally)),
        ],
        middleware=[Middleware(Gate, key=key, dress=worn, tally=tally, clock=gateway.shown_time)],
        exception_handlers={Refused: _refused, HTTPException: _not_found(worn)},
    )
    app.router.redirect_slashes = False
    return app


def _endpoints(gateway: Gateway, downloads: Downloads) -> Mapping[str, Endpoint]:
    """What answers a call."""
    submits = Submits(gateway)
    looks = Looks(gateway, downloads)
    asks = gateway.dress.profile.dialect == "responses"
    return {
        "submit": Results(gateway, submits, downloads).respond if asks else submits.create,
        "remix": submits.remix,
        "extend": submits.extend,
        "edit": submits.edit,
        "list": looks.list_page,
        "look": looks.retrieve,
        "delete": looks.delete,
        "content": downloads.content,
    }


def _debug_routes(debug: Debug) -> list[Route]:
    return [
        Route("/debug/book", debug.book, methods=["GET"]),
        Route("/debug/requests", debug.requests, methods=["GET"]),
        Route("/debug/settings", debug.read_settings, methods=["GET"]),
        Route("/debug/settings", debug.change_settings, methods=["PATCH"]),
    ]


def _route(door: Door, endpoint: Endpoint, dress: Dress) -> Route:
    """One call, whose refusals are worded as the dress has them."""

    async def answer(request: Request) -> Any:
        try:
            dress.check_query(door.call, request.query_params)
            return await endpoint(request)
        except Refused as refused:
            http, document = dress.refusal(refused, refused.call or door.call, request.path_params.get("id", ""))
            return JSONResponse(document, http, headers=refused.headers)

    return Route(_with_segment(door.path), answer, methods=[door.method])


class _Segment(Convertor[str]):
    """One segment of a path as it came, whatever it holds: an id may have a `/`, encoded. `Gate` leaves it so."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


register_url_convertor("segment", _Segment())


def _with_segment(path: str) -> str:
    return path.replace("{id}", "{id:segment}")


async def _refused(_request: Request, error: Exception) -> Response:
    """A refusal of what no dress changes."""
    assert isinstance(error, Refused)
    return JSONResponse(error.document, error.http, headers=error.headers)


def _not_found(dress: Dress) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        """No such route, or not with this method."""
        assert isinstance(error, HTTPException)
        words = {404: "Invalid URL", 405: "Method not allowed"}.get(error.status_code, "Bad request")
        message = f"{words} ({request.method} {request.url.path})"
        refused = Refused(error.status_code, message, problem="wrong_address")
        http, document = dress.refusal(refused)
        return JSONResponse(document, http, headers=error.headers)

    return answer
