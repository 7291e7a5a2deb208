"""Why a picture was refused, in words that a person understands."""


class ImageError(ValueError):
    """A picture that cannot be used. ``str(error)`` says what is wrong; ``code`` names the kind."""

    code = "unusable-image"


class NotAnImage(ImageError):
    """The bytes are of no image format at all: empty, text, an archive."""

    code = "not-an-image"


class UnsupportedFormat(ImageError):
    """The bytes are a picture or a document that is known, and not decoded here: SVG, PDF, RAW."""

    code = "unsupported-format"


class TruncatedImage(ImageError):
    """The file ends before its picture does."""

    code = "truncated"


class DamagedImage(ImageError):
    """The file claims a format and breaks its rules."""

    code = "damaged"


class ImageTooSmall(ImageError):
    """Too few pixels to show anything."""

    code = "too-small"


class ImageTooLarge(ImageError):
    """More bytes or more pixels than the limits allow; found before a pixel was decoded."""

    code = "too-large"
