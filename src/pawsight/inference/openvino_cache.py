# ruff: noqa: ANN401 - OpenVINO has no types
"""Networks that OpenVINO has compiled, kept for the next start.

They lie in the user's cache folder, each under a name that says what it was made of and for: the
network's bytes, OpenVINO's version, the processor and the options. Where nothing can be written
there, or what is there is torn, the network is compiled again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pawsight.images.preprocess import Preprocessing
from pawsight.places import cache_folder
from pawsight.whole import written_whole

_KEPT: Final = 16  # the newest, of 5 to 25 MB for the embedded models
_DIGEST: Final = 32  # bytes, of SHA-256, before what is kept
_FORM: Final = 2  # of what is done to a network before it is compiled: see _read_network
_CPU: Final = "CPU"
_PROCESSOR: Final = ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")

log = logging.getLogger(__name__)


def compiled(
    core: Any,
    file: Path,
    options: Mapping[str, Any],
    how: Preprocessing | None = None,
) -> tuple[Any, bytes]:
    """A compiled network, from the cache where it is there, and what it can be imported from.

    Args:
        core: OpenVINO's ``Core``.
        file: The network, in ONNX.
        options: Of the compilation.
        how: By which the network is to normalise pictures uint8 [N, H, W, 3] itself, if it is to.

    Raises:
        RuntimeError: OpenVINO cannot load the file.
    """
    place = cache_folder() / "openvino" / _name(core, file, options, how)
    kept = _read(place)
    if kept is not None:
        try:
            return core.import_model(kept, _CPU, dict(options)), kept
        except RuntimeError as error:
            log.info("%s is compiled again: %s", file.name, error)
    network = core.compile_model(_read_network(core, file, how), _CPU, dict(options))
    made = network.export_model().getvalue()
    try:
        _keep(place, made)
    except OSError as error:
        log.info("the next start compiles %s again: %s", file.name, error)
    return network, made


def _name(core: Any, file: Path, options: Mapping[str, Any], how: Preprocessing | None) -> str:
    made_of = [
        str(_FORM),
        hashlib.sha256(file.read_bytes()).hexdigest(),
        *(str(core.get_property(_CPU, each)) for each in _PROCESSOR),
        str(core.get_versions(_CPU)[_CPU].build_number),
        json.dumps(options, sort_keys=True),
        how.model_dump_json() if how else "",
    ]
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()


def _read_network(core: Any, file: Path, how: Preprocessing | None) -> Any:
    network = core.read_model(file)
    _leave_products_unrounded(network)
    if how is None:
        return network
    from openvino import Layout, Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(network)
    pictures = steps.input(0)
    pictures.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    pictures.model().set_layout(Layout("NCHW"))
    scaled = pictures.preprocess().convert_element_type(Type.f32)
    scaled.mean([255 * each for each in how.mean]).scale([255 * each for each in how.std])
    return steps.build()


def _leave_products_unrounded(network: Any) -> None:
    """Take out the roundings of what matrix products give, where it is at once made floats again.

    OpenVINO makes passes of their own of them. The rounding of what a product is given stays, and
    one that cuts off what is negative, too: it is a ReLU at the same time.
    """
    for rounding in network.get_ordered_ops():
        if rounding.get_type_name() != "FakeQuantize":
            continue
        product, last = rounding.input_value(0), rounding
        lowest = rounding.input_value(1).get_node()
        if product.get_node().get_type_name() != "MatMul" or lowest.get_type_name() != "Constant":
            continue
        if (lowest.get_data() >= 0).any():
            continue
        for step in ("Convert", "Convert", "Subtract", "Multiply"):
            takers = [each.get_node() for each in last.output(0).get_target_inputs()]
            if [each.get_type_name() for each in takers] != [step]:
                break
            last = takers[0]
        else:
            last.output(0).replace(product)


def _read(place: Path) -> bytes | None:
    """What was kept; None where it is not there or not whole."""
    try:
        whole = place.read_bytes()
    except OSError:
        return None
    kept = whole[_DIGEST:]
    return kept if hashlib.sha256(kept).digest() == whole[:_DIGEST] else None


def _keep(place: Path, network: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(place) as stream:
        stream.write(hashlib.sha256(network).digest())
        stream.write(network)
    by_age = sorted(place.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)
