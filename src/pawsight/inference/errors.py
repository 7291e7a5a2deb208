"""What can be wrong with a model, apart from its pictures."""


class ModelError(ValueError):
    """A model that cannot be used."""


class UnknownModel(ModelError):
    """No model has this name, and no folder lies there."""


class BrokenModel(ModelError):
    """A model folder that is incomplete, was changed, or answers otherwise than when trained."""
