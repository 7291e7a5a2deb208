"""The service as a first tutorial builds it: FastAPI, and a ViT-B/16 in eager torch in the handler.

    uvicorn --app-dir benchmarks/serving naive:app

Its weights are random, as only time is measured; transformers' own processor prepares the pictures.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

CATS, DOGS = slice(281, 286), slice(151, 269)  # of ImageNet's 1,000 classes


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the network."""
    config = ViTConfig(id2label={number: str(number) for number in range(1000)})
    app.state.model = ViTForImageClassification(config).eval()  # type: ignore[no-untyped-call]
    app.state.processor = ViTImageProcessor(size={"height": 224, "width": 224})
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict/pretrained")
async def predict(file: Annotated[UploadFile, File()]) -> dict[str, str]:
    image = Image.open(io.BytesIO(await file.read())).convert("RGB")
    with torch.inference_mode():
        inputs = app.state.processor(images=image, return_tensors="pt")
        shares = app.state.model(**inputs).logits.softmax(-1)[0]
    return {"label": "dog" if shares[DOGS].sum() > shares[CATS].sum() else "cat"}
