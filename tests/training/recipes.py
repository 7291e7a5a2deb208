"""A recipe that learns the drawn pictures in seconds."""

from pawsight.data.augment import Augmentation
from pawsight.training.recipe import Recipe, SimpleCNNRecipe

TINY = Recipe(
    name="tiny",
    epochs=20,
    batch_size=8,
    image_size=48,
    cache_size=48,
    learning_rate=5e-3,
    ema_decay=0.5,
    precision="32-true",
    network=SimpleCNNRecipe(widths=(8, 16, 16), residuals=(1, 0, 1), stem_width=8),
    augmentation=Augmentation(min_area=0.7, max_aspect=1.2, rotation=5, erase=0.1),
)
