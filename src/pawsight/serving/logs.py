"""How the service writes its log: lines for people, or JSON lines for machines."""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from datetime import datetime, timezone
from typing import Any, Final, Literal

from uvicorn.config import LOGGING_CONFIG

_REQUEST: Final = ("request_id", "route", "status", "milliseconds", "client", "key", "trace_id")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; of a request, with what is known of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in _REQUEST:
            value = getattr(record, name, None)
            if value is not None:
                said[name] = value
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said)


class AlreadyTold(logging.Filter):
    """Leaves out uvicorn's line of what is no HTTP, of which the access log has one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is another."""
        return record.msg != "Invalid HTTP request received."


def log_only_what_is_written() -> None:
    """Have no line of the process's log ask for what none of them names.

    Which are threads, processes, and the place in the code, for which the stack is walked: as the
    documentation of `logging` advises where lines are many ("Optimization").
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None


def log_config(form: Literal["text", "json"]) -> dict[str, Any]:
    """Uvicorn's own configuration, with times, and with what pawsight logs."""
    config = deepcopy(LOGGING_CONFIG)
    access = "%(message)s %(status)s %(milliseconds)s ms %(client)s %(request_id)s"
    if form == "json":
        config["formatters"] = {
            name: {"()": "pawsight.serving.logs.JsonFormatter"} for name in ("default", "access")
        }
    else:
        default = config["formatters"]["default"]
        default["fmt"] = f"%(asctime)s {default['fmt']}"
        # Written for every request: without uvicorn's colours, which cost more than the line.
        config["formatters"]["access"] = {"format": f"%(asctime)s %(levelname)s:     {access}"}
    config["filters"] = {"told": {"()": "pawsight.serving.logs.AlreadyTold"}}
    config["loggers"]["uvicorn.error"]["filters"] = ["told"]
    # What is wrong with a form is in the answer, and is counted; clients write no lines of the log.
    config["loggers"]["python_multipart"] = {"level": "ERROR"}
    for name, handler in (("pawsight", "default"), ("pawsight.access", "access")):
        config["loggers"][name] = {"handlers": [handler], "level": "INFO", "propagate": False}
    return config
