"""The application for ``uvicorn service.main:app``; the only module whose import has an effect."""

from service.app import create_app
from service.settings import Settings

app = create_app(Settings())
