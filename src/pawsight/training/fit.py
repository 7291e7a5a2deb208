"""Training proper: a table and a recipe in, trained weights out, resumable at any step."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

import lightning as L
import pandas as pd
import torch
from lightning.pytorch.callbacks import (
    Callback,
    ModelCheckpoint,
    RichProgressBar,
    WeightAveraging,
)
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pawsight.cpus import usable_cpus
from pawsight.data.crops import is_compiled
from pawsight.data.datamodule import CatDogDataModule
from pawsight.labels import NEITHER, classes_of
from pawsight.models.lightning_module import CatDogClassifier, Hinting, Imitation
from pawsight.models.losses import open_set_cross_entropy
from pawsight.training.callbacks import EpochLines, SomeValidations, StopsWhereDiverged
from pawsight.training.checkpoints import WholeCheckpoints
from pawsight.training.hint_teachers import load_hint_teacher
from pawsight.training.networks import build_network, load_weights, random_network
from pawsight.training.recipe import Recipe
from pawsight.training.run import RunFolder
from pawsight.training.teachers import ModelTeacher, load_teacher

Precision: TypeAlias = Literal["32-true", "bf16-mixed"]

log = logging.getLogger(__name__)


def data_module(table: pd.DataFrame, recipe: Recipe, run: RunFolder) -> CatDogDataModule:
    """The pictures of a table as a recipe wants them.

    Raises:
        StartingPointError: A teacher's packages are not installed.
        ModelError: A teacher is no model, or knows other classes than the table.
    """
    classes = classes_of(table["label"])
    return CatDogDataModule(
        table,
        recipe.image_size,
        batch_size=recipe.batch_size,
        cache_size=recipe.cache_size,
        training_sizes=recipe.training_sizes,
        augmentation=recipe.augmentation,
        preprocessing=recipe.preprocessing,
        seed=recipe.seed,
        repeats=recipe.repeats,
        teachers=[
            load_teacher(how.teacher, how.image_size, classes) for how in recipe.distillation
        ],
        views=recipe.views,
        hinting=[
            (load_hint_teacher(hint.teacher, hint.image_size), hint.components)
            for hint in recipe.hints
        ],
        answers=run.answers,
    )


def fit(
    table: pd.DataFrame,
    recipe: Recipe,
    run: RunFolder,
    *,
    resume: bool = False,
    checkpoint_every: int = 50,
    progress: bool = False,
    trial: Mapping[str, Any] | None = None,
) -> CatDogClassifier:
    """Train, or go on where an earlier run was stopped.

    Args:
        table: ``path``, ``label`` and ``split``.
        recipe: The rest.
        run: Where checkpoints and logs (CSV and TensorBoard) go, and where the weights are that it
            starts from, if there are any.
        resume: Go on from ``run.last`` if it is there: at the same step, in the same order of data.
        checkpoint_every: Steps between two checkpoints; where an epoch has fewer, there is one at
            the end of each.
        progress: Show a progress bar; otherwise a line an epoch is logged.
        trial: Options of Lightning's ``Trainer`` that make a trial of it, of which nothing is kept
            (:mod:`pawsight.training.debug`).

    Returns:
        The classifier with its best weights by validation loss, which still tells epochs apart
        where all of them answer every validation picture right.

    Raises:
        StartingPointError: Weights that the recipe needs are not on this machine.
        ModelError: A teacher is no model, or knows other classes than the table.
        RunError: The weights to start from are torn, or those of another architecture; or the
            training diverges.
        ImageError, OSError: A picture cannot be used.
    """
    # Who runs several trainings on a machine, as Ray does, says how much of it each may have.
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    torch.set_num_threads(int(first) if first.isdigit() and int(first) else usable_cpus())
    data = data_module(table, recipe, run)
    data.setup("fit")
    if not torch.cuda.is_available() and not is_compiled():
        log.info("torch crops pictures: what the install compiles for it is missing, or wrong")
    classifier = build_classifier(recipe, data, run)
    # Of a checkpoint that is written after an epoch, Lightning restores no loader's place.
    every = min(checkpoint_every, len(data.train_dataloader()))
    validations = SomeValidations(recipe.validate_every)
    options = trial or {"callbacks": [*_callbacks(recipe, run, every, progress), validations]}
    trainer = L.Trainer(
        accelerator="auto",
        precision=_precision(recipe, classifier, data),
        logger=False if trial else _loggers(run),
        enable_progress_bar=progress and not trial,
        enable_checkpointing=not trial,
        enable_model_summary=False,
        log_every_n_steps=min(10, len(data.train_dataloader())),
        num_sanity_val_steps=0,
        plugins=[WholeCheckpoints()],
        **{"max_epochs": recipe.epochs, **options},
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists.*")
        warnings.filterwarnings("ignore", message=".*treespec.*")  # between Lightning and torch
        trainer.fit(
            classifier,
            datamodule=data,
            ckpt_path=run.last if resume and run.last.exists() else None,
            weights_only=True,
        )
        if not trial:
            if not validations.of_the_last:  # it was killed before, when all steps were done
                _validate_last(trainer, classifier, data, run)
            load_weights(classifier.network, run.best)
    return classifier


def _validate_last(
    trainer: L.Trainer, classifier: CatDogClassifier, data: CatDogDataModule, run: RunFolder
) -> None:
    [reached] = trainer.validate(classifier, datamodule=data, verbose=False)
    before = cast(ModelCheckpoint, trainer.checkpoint_callback).best_model_score
    if before is None or reached["val_loss"] < float(before):
        trainer.save_checkpoint(run.best)


def build_classifier(recipe: Recipe, data: CatDogDataModule, run: RunFolder) -> CatDogClassifier:
    """What :func:`fit` trains, before its first step.

    Args:
        recipe: How it will be trained.
        data: Set up for it.
        run: Holds the weights to start from, if they are another training's.
    """
    steps = len(data.train_dataloader())
    classes = len(data.classes)
    if run.start.is_file():
        network = random_network(recipe, classes)
        load_weights(network, run.start)
    else:
        network = build_network(recipe, classes)
    return CatDogClassifier(
        network,
        num_classes=classes,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup=recipe.warmup,
        label_smoothing=recipe.label_smoothing,
        label_noise=recipe.label_noise,
        total_steps=recipe.epochs * steps,
        restarts=[(epoch * steps, height) for epoch, height in recipe.restarts],
        decay=recipe.decay,
        with_background=NEITHER in set(data.dataframe["label"]),
        layer_decay=recipe.layer_decay,
        patch_dropout=recipe.patch_dropout,
        optimizer=recipe.optimizer,
        imitations=[
            Imitation(
                outputs=None if isinstance(teacher, ModelTeacher) else teacher.num_outputs,
                weight=how.weight,
                temperature=how.temperature,
            )
            for teacher, how in zip(data.teachers, recipe.distillation, strict=True)
        ],
        hintings=[
            Hinting(kept.components, hint.weight)
            for kept, hint in zip(data.hints, recipe.hints, strict=True)
        ],
    )


def _precision(recipe: Recipe, classifier: CatDogClassifier, data: CatDogDataModule) -> Precision:
    if recipe.precision != "auto":
        return recipe.precision
    return faster_precision(classifier.network, data.training_size(0), recipe.batch_size)


def _callbacks(
    recipe: Recipe, run: RunFolder, checkpoint_every: int, progress: bool
) -> list[Callback]:
    callbacks: list[Callback] = [
        ModelCheckpoint(
            run.checkpoints, filename="best", monitor="val_loss", mode="min",
            enable_version_counter=False,
        ),
        ModelCheckpoint(
            run.checkpoints, filename="last", every_n_train_steps=checkpoint_every,
            enable_version_counter=False,
        ),
        RichProgressBar() if progress else EpochLines(),
        StopsWhereDiverged(),
    ]  # fmt: skip
    return [*callbacks, *averaging(recipe)]


def averaging(recipe: Recipe) -> list[Callback]:
    """What makes the running average of the weights, if the recipe has one.

    Lightning has a callback of that name, too, but it goes from weight to weight.
    """
    if not recipe.ema_decay:
        return []
    of_all_at_once = get_ema_multi_avg_fn(recipe.ema_decay)  # type: ignore[no-untyped-call]
    return [WeightAveraging(multi_avg_fn=of_all_at_once)]


def _loggers(run: RunFolder) -> list[Logger]:
    """CSV and TensorBoard, in a new folder each time that the training goes on."""
    part = f"part-{len(list(run.logs.glob('part-*')))}"
    return [
        CSVLogger(run.path, name=run.logs.name, version=part),
        TensorBoardLogger(run.path, name=run.logs.name, version=part),
    ]


def faster_precision(network: nn.Module, size: int, batch_size: int) -> Precision:
    """Time training steps in float32 and in bfloat16 on this processor.

    Which one wins differs from machine to machine (AMX, AVX512-BF16, neither), by up to 5×.

    Returns:
        ``32-true`` or ``bf16-mixed``, as Lightning names them.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = network.to(device)
    pictures = torch.randn(min(batch_size, 64), 3, size, size, device=device)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(len(pictures), dtype=torch.int64, device=device)
    state = {name: value.clone() for name, value in network.state_dict().items()}

    def seconds(bfloat16: bool) -> float:
        start = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            logits = network(pictures)
        open_set_cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        network.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    # In turn, so that what else the machine does at the moment befalls both.
    times = [(seconds(False), seconds(True)) for _ in range(3)]
    plain, brief = (min(each) for each in zip(*times, strict=True))
    network.load_state_dict(state)  # batch norm has moved
    log.info("a training step in bfloat16 takes %.2f × one in float32", brief / plain)
    return "bf16-mixed" if brief < plain else "32-true"
