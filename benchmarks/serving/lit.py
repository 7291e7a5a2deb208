"""The same network and the same decoding behind LitServe: lit.py PORT WORKERS."""

import sys
from dataclasses import asdict
from typing import Any

import litserve
from fastapi import Request

from pawsight.cpus import usable_cpus
from pawsight.images.decode import Pixels
from pawsight.inference.catalog import load_network
from pawsight.inference.prediction import Prediction


class Lit(litserve.LitAPI):
    """``custom`` in LitServe's four verbs."""

    def __init__(self, workers: int) -> None:
        super().__init__(max_batch_size=8, batch_timeout=0.002)
        self.threads = max(1, usable_cpus() // workers)

    def setup(self, device: str) -> None:
        self.model = load_network("custom", threads=self.threads)

    def decode_request(self, request: Request) -> Pixels:
        return self.model.read(request["file"].file.read())

    def batch(self, inputs: list[Pixels]) -> list[Pixels]:
        return inputs

    def predict(self, pictures: list[Pixels]) -> list[Prediction]:
        return self.model.answer(pictures)

    def unbatch(self, output: list[Prediction]) -> list[Prediction]:
        return output

    def encode_response(self, output: Prediction) -> dict[str, Any]:
        return asdict(output)


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    server = litserve.LitServer(Lit(workers), accelerator="cpu", workers_per_device=workers)
    server.run(port=port, host="127.0.0.1", log_level="warning", generate_client_file=False)
