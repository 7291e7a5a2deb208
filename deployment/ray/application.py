"""The service as a Ray Serve application: replicas of it, as many as the load asks for.

    serve run deployment.ray.application:application             # on this machine, or the cluster
    serve deploy deployment/ray/serve.yaml                       # on a cluster that runs

Each replica is the whole service, with its own scheduler that batches what arrives together;
settings are those of the environment (PAWSIGHT_…), which must be the same on every machine.
"""

from __future__ import annotations

from fastapi import FastAPI
from ray import serve

from pawsight.serving.app import create_app


def build() -> FastAPI:
    """The service, made in each replica: its models are loaded there."""
    return create_app()


@serve.deployment(
    # A replica batches what it has in hand: some dozens of pictures keep its processors busy.
    max_ongoing_requests=64,
    autoscaling_config={
        "min_replicas": 1,
        "max_replicas": 8,
        "target_ongoing_requests": 16,
        "upscale_delay_s": 10,
        "downscale_delay_s": 300,
    },
    # Ray counts processors and does not hold them back: the replica has to know its share.
    ray_actor_options={
        "num_cpus": 1,
        "runtime_env": {"env_vars": {"PAWSIGHT_THREADS": "1"}},
    },
    graceful_shutdown_timeout_s=40,
)
@serve.ingress(build)
class Pawsight:
    """Answers as `pawsight serve` does."""


application = Pawsight.bind()  # type: ignore[attr-defined]  # the decorator's
