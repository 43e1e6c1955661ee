"""The wall on a projector, and the stream of events that keeps it up to date at little cost for many screens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, StreamingResponse

from service.areas import workflow as areas
from service.core import Core
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.sketch import sketch_areas
from service.web.templates import render_page
from service.workshops import workflow
from service.workshops.pages import WorkshopId, code_values
from service.workshops.workflow import Room

router = APIRouter(include_in_schema=False)
POLL_S: Final = 1.0  # one look at the store for all screens of a workshop in this process
BEAT_S: Final = 15.0
LONGEST_S: Final = 900.0  # then the screen asks again, and is asked again who it is
RETRY_MS: Final = 3000


@dataclass
class Topic:
    """What all screens of one workshop wait for.

    Attributes
    ----------
    text : bytes
        The newest state as an event.
    looked : float
        When the store was last looked at.
    """

    text: bytes = b""
    looked: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@router.get("/workshops/{identifier}/wall")
def show_wall(request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> HTMLResponse:
    """Show the wall as a full screen for a projector."""
    workflow.read_own(core, principal, identifier)
    room = workflow.read_room(core, principal, identifier)
    shapes = areas.area_shapes(core, areas.default_set(core).name)
    sketch = sketch_areas(core)
    drawn = zip(shapes.codes.tolist(), shapes.names.tolist(), sketch.paths if sketch else (), strict=False)
    values: dict[str, Any] = {
        "room": room,
        "wall": workflow.read_wall(core, room.workshop.id).to_json(),
        "wards": sorted(drawn),
        "view_box": sketch.view_box if sketch else "0 0 1 1",
    }
    values |= code_values(request, core, principal, room)
    return render_page(request, "workshops/wall.html", **values)


def find_room(core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> Room:
    """Return the workshop of a wall that the caller runs; in a thread, so that the stream itself never blocks."""
    workflow.read_own(core, principal, identifier)
    return workflow.read_room(core, principal, identifier)


@router.get("/workshops/{identifier}/wall/events")
async def stream_wall(request: Request, core: CoreDep, room: Room = Depends(find_room)) -> StreamingResponse:  # noqa: B008, FAST002
    """Send the state of the wall now and whenever it changes; every event is whole, so a screen may reconnect."""
    topics: dict[int, Topic] = core.throttles.setdefault("wall-topics", {})
    topic = topics.setdefault(room.workshop.id, Topic())
    stream = _events(request, core, room.workshop.id, topic)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _events(request: Request, core: Core, number: int, topic: Topic) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MS}\n\n".encode()
    sent, beat = b"", time.monotonic()
    end = beat + LONGEST_S
    while time.monotonic() < end and not await request.is_disconnected():
        text = await _newest(core, number, topic)
        if text != sent:
            yield text
            sent, beat = text, time.monotonic()
        elif time.monotonic() - beat >= BEAT_S:
            yield b": still here\n\n"
            beat = time.monotonic()
        await asyncio.sleep(POLL_S)


async def _newest(core: Core, number: int, topic: Topic) -> bytes:
    """Return the newest event; whoever comes first in a second looks at the store, the others take what it found."""
    async with topic.lock:
        if time.monotonic() - topic.looked >= POLL_S * 0.9:
            shown = await run_in_threadpool(workflow.read_wall, core, number)
            topic.text = b"event: wall\ndata: " + orjson.dumps(shown.to_json()) + b"\n\n"
            topic.looked = time.monotonic()
    return topic.text
