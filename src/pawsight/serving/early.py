"""What a service begins with, while the rest of it is still imported."""

from __future__ import annotations

from pawsight.cpus import usable_cpus
from pawsight.inference.catalog import Loader, resolve
from pawsight.serving.memory import share_memory
from pawsight.serving.settings import Settings


def begin(settings: Settings) -> Loader:
    """Start to load the networks of the settings.

    Raises:
        UnknownModel: There is no such model.
    """
    share_memory()
    loader = Loader(settings.threads or usable_cpus(), settings.provider, for_many=True)
    loader.begin(map(resolve, settings.serve_models))
    return loader
