"""What pydantic finds wrong with what somebody wrote, in words for that person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

_WHOLE_NUMBER: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_BOOL: Final = "must be true or false"
_FIELDS: Final = "must be an object of fields"
_LIST: Final = "must be a list"
_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "unexpected_keyword_argument": "is not known here",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "finite_number": "must be a finite number",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER + " of fewer digits",
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _BOOL,
    "bool_parsing": _BOOL,
    "string_type": "must be text",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have {min_length} entries or more",
    "too_long": "must have {max_length} entries or fewer",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _FIELDS,
    "mapping_type": _FIELDS,
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "dataclass_type": _FIELDS,
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be of one of the kinds {expected_tags}",
    "json_invalid": "is no JSON: {error}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def fault(errors: Sequence[Any]) -> tuple[str | None, str]:
    """Where the first of pydantic's errors is, and what is wrong there.

    Args:
        errors: As ``ValidationError.errors()`` gives them, with their context.

    Returns:
        The field's name, dotted, and None where no single field is meant; and words such as ``must
        be 1 or more``, which hold none of the values that were given unless our own checks say
        them.
    """
    first = errors[0]
    template = _WORDS.get(first["type"])
    if template is None:  # one of the rarer kinds
        words = re.sub(r"^[A-Z][a-z]+ should ", "must ", first["msg"])
    else:
        words = template.format_map(first.get("ctx", {}))
    return ".".join(str(part) for part in first["loc"]) if first["loc"] else None, words


def in_words(error: ValidationError, whole: str = "the whole") -> str:
    """The first thing that is wrong, as ``epochs: must be 1 or more``.

    Args:
        error: Of pydantic.
        whole: How what was read is called where no single field is wrong; empty for not at all.
    """
    where, words = fault(error.errors(include_url=False, include_input=False))
    where = whole if where is None else where
    return f"{where}: {words}" if where else words
