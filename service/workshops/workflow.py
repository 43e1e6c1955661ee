"""The door of the subject: what routes and other subjects may ask of workshops, seats and the duty roster."""

from __future__ import annotations

from service.workshops.duty import (
    DutyIn,
    DutyView,
    add_duty,
    add_sample_duty,
    leads,
    list_duty,
    on_duty,
    remove_duty,
)
from service.workshops.running import (
    Live,
    Room,
    WorkshopIn,
    code_of,
    create_workshop,
    end_workshop,
    extend_workshop,
    list_workshops,
    live,
    read_room,
    renew_code,
    room_of_code,
)
from service.workshops.samples import SampleWorkshop, add_samples
from service.workshops.seats import (
    create_in_workshop,
    create_open,
    join,
    note_unsent,
    seat_of_token,
    seat_page,
    takes_words,
)
from service.workshops.views import SeatPage, SeatView, WorkshopView

__all__ = [
    "DutyIn",
    "DutyView",
    "Live",
    "Room",
    "SampleWorkshop",
    "SeatPage",
    "SeatView",
    "WorkshopIn",
    "WorkshopView",
    "add_duty",
    "add_sample_duty",
    "add_samples",
    "code_of",
    "create_in_workshop",
    "create_open",
    "create_workshop",
    "end_workshop",
    "extend_workshop",
    "join",
    "leads",
    "list_duty",
    "list_workshops",
    "live",
    "note_unsent",
    "on_duty",
    "read_room",
    "remove_duty",
    "renew_code",
    "room_of_code",
    "seat_of_token",
    "seat_page",
    "takes_words",
]
