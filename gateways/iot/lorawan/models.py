"""Which decoder reads a device's bytes: by the stores file, else by the envelope.

The `model` of the device in the stores file wins, because whoever registers a device
knows what it is. Without it, what the network server says of the device is searched: brand and
model of The Things Stack's device repository, ChirpStack's device profile name, or its tags
`brand` and `model`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateways.iot.lorawan import imbuildings, milesight, terabee
from gateways.iot.lorawan.decoded import Decoder


@dataclass(frozen=True)
class Model:
    """A kind of device.

    Args:
        name: what the stores file calls it.
        decode: reads its bytes.
        profile: how network servers call it.
    """

    name: str
    decode: Decoder
    profile: str


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("vs121", milesight.decode_vs121, r"vs-?121"),
        Model("vs132", milesight.decode_vs133, r"vs-?132"),
        Model("vs133", milesight.decode_vs133, r"vs-?133"),
        Model("vs135", milesight.decode_vs133, r"vs-?135"),
        Model("vs350", milesight.decode_vs350, r"vs-?350"),
        Model("terabee-xl", terabee.decode, r"terabee.*\b(?:l-)?xl\b|people-flow-counting-l-xl"),
        Model("imbuildings", imbuildings.decode, r"imbuildings.*(?:people|occupancy)"),
    )
}
_PROFILES = [(re.compile(model.profile), model) for model in MODELS.values()]
#: Longer names come from nobody honest.
_MAX_PROFILE = 256


def model_of(registered: str | None, profile: str) -> Model | None:
    """The model of a device; None where nobody tells it.

    Args:
        registered: `model` of the device in the stores file.
        profile: what the envelope says, in lower case.
    """
    if registered is not None:
        return MODELS.get(registered.strip().lower())
    for pattern, model in _PROFILES:
        if pattern.search(profile[:_MAX_PROFILE]):
            return model
    return None
