"""Compose the application: lifespan, routers, error handlers, static files; decides nothing itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from service.actions import pages as actions_pages
from service.actions import router as actions_router
from service.areas import pages as areas_pages
from service.areas import router as areas_router
from service.core import open_core, require_assessment
from service.crimes import router as crimes_router
from service.duty import about_pages as duty_about_pages
from service.duty import pages as duty_pages
from service.duty import router as duty_router
from service.errors import Problem, install_handlers
from service.jobs import router as jobs_router
from service.maps import pages as maps_pages
from service.maps import router as maps_router
from service.moderation import lead_pages
from service.moderation import pages as moderation_pages
from service.moderation import router as moderation_router
from service.names import router as names_router
from service.people import admin_pages as people_admin_pages
from service.people import elsewhere_pages
from service.people import pages as people_pages
from service.places import pages as places_pages
from service.places import receipt_pages, receipts_router
from service.places import router as places_router
from service.releases import pages as releases_pages
from service.releases import router as releases_router
from service.releases import staff_pages as releases_staff_pages
from service.runs import router as runs_router
from service.settings import Settings
from service.venues import router as venues_router
from service.web import health
from service.web import pages as web_pages
from service.web.headers import SecurityHeaders
from service.web.limits import BodyLimit
from service.workshops import duty_pages as workshops_duty_pages
from service.workshops import join_pages as workshops_join_pages
from service.workshops import pages as workshops_pages
from service.workshops import router as workshops_router
from service.workshops import sealed_router, shell_pages
from service.workshops import wall_pages as workshops_wall_pages

GZIP_FROM_BYTES = 1024
DESCRIPTION = """Young people mark where they feel safe and unsafe; the marks are joined to wards and to crime
reported to the police. Public routes show open data and releases only. Staff routes need `Authorization: Bearer KEY`.
Failures are RFC 9457 problems with a stable `code`."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application of one deployment; it opens the store when it starts and closes it when it stops.

    Parameters
    ----------
    settings : Settings
        Read once by the caller.

    Returns
    -------
    FastAPI
        With ``app.state.core`` set while it runs.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        core = open_core(settings)
        require_assessment(core)
        app.state.core = core
        yield
        core.store.close()

    app = FastAPI(
        title="Safer Places",
        version=version("safer-places"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the framework would make the address from what the caller says this host is
        openapi_url="/api/v1/openapi.json",
        responses={422: {"model": Problem, "description": "The input was refused; `errors` names the fields."}},
    )
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES)
    app.add_middleware(BodyLimit, limit=settings.body_max_kb * 1024)
    app.add_middleware(SecurityHeaders)
    install_handlers(app)
    _include_routers(app)
    _mount_static(app)
    return app


def _include_routers(app: FastAPI) -> None:
    for router in (
        # what a room of phones asks comes first: every route before it is tried first
        workshops_router.router,
        sealed_router.router,
        health.router,
        areas_router.router,
        areas_pages.router,
        crimes_router.router,
        jobs_router.router,
        runs_router.router,
        names_router.router,
        people_pages.router,
        people_admin_pages.router,
        elsewhere_pages.router,
        places_router.router,
        receipts_router.router,
        venues_router.router,
        places_pages.router,
        receipt_pages.router,
        maps_router.router,
        maps_pages.router,
        web_pages.router,
        # workshops
        shell_pages.router,
        workshops_join_pages.router,
        workshops_pages.router,
        workshops_wall_pages.router,
        workshops_duty_pages.router,
        # moderation
        moderation_router.router,
        moderation_pages.router,
        lead_pages.router,
        # releases
        releases_router.router,
        releases_pages.router,
        releases_staff_pages.router,
        actions_router.router,
        actions_pages.router,
        # duty
        duty_pages.router,
        duty_router.router,
        duty_about_pages.router,
    ):
        app.include_router(router)


def _mount_static(app: FastAPI) -> None:
    own = Path(__file__).parent / "web" / "static"
    maps = Path(str(resources.files("geo.maps"))) / "static"
    app.mount("/static/maps", StaticFiles(directory=maps, check_dir=False), name="map-static")
    app.mount("/static", StaticFiles(directory=own, check_dir=False), name="static")
