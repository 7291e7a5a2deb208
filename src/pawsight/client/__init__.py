"""A client of the service, sync and async.

>>> from pawsight.client import Client
>>> with Client("http://127.0.0.1:8000") as service:
...     service.predict("photo.jpg").label
'cat'
"""

from __future__ import annotations

try:
    from pawsight.client.asynchronous import AsyncClient
except ModuleNotFoundError:
    from pawsight.extras import require

    require("client", "pawsight.client")
    raise
from pawsight.client.errors import ClientError, NoService, Refused, TooSlow, Unreachable
from pawsight.client.forms import (
    Answer,
    ComparedAnswer,
    Explained,
    ModelReference,
    Problem,
    Record,
    RecordedAnswer,
    ReviewItem,
    Said,
)
from pawsight.client.service_forms import (
    Drift,
    Model,
    ModelDetail,
    ModelDrift,
    Ready,
    TrainingStatus,
)
from pawsight.client.synchronous import Client
from pawsight.client.training_forms import Dataset, Job

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ClientError",
    "ComparedAnswer",
    "Dataset",
    "Drift",
    "Explained",
    "Job",
    "Model",
    "ModelDetail",
    "ModelDrift",
    "ModelReference",
    "NoService",
    "Problem",
    "Ready",
    "Record",
    "RecordedAnswer",
    "Refused",
    "ReviewItem",
    "Said",
    "TooSlow",
    "TrainingStatus",
    "Unreachable",
]
