"""The application for any ASGI server: ``uvicorn main:app``."""

from pawsight.serving.app import create_app

app = create_app()
