"""How messages become payloads: JSON, and only what a message may be.

One converter for every client, worker and replayer: a payload written by one must be readable by
all, for as long as a lifecycle lasts.
"""

import dataclasses
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

LARGEST_MESSAGE = 64 * 1024  # bytes: pass ids, not records; Temporal's own limit is 2 MB


class MessageTooLarge(ValueError):  # noqa: N818 - named as what happened
    """Somebody put records into a message where ids belong."""


class Messages(CompositePayloadConverter):
    """Temporal's converters with JSON as the only one for values, of bounded size."""

    def __init__(self) -> None:
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*[_bounded(one) for one in usual])


class _BoundedJson(JSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and len(payload.data) > LARGEST_MESSAGE:
            raise MessageTooLarge(f"{type(value).__name__} takes {len(payload.data)} bytes")
        return payload


def _bounded(converter: EncodingPayloadConverter) -> EncodingPayloadConverter:
    return _BoundedJson() if isinstance(converter, JSONPlainPayloadConverter) else converter


DATA_CONVERTER = dataclasses.replace(DataConverter.default, payload_converter_class=Messages)
