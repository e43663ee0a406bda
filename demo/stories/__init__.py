"""The stories, in the order in which the demo lists their alerts."""

from __future__ import annotations

from demo.stories import (
    graphics_cards,
    leaked_key,
    model_hijack,
    shared_snapshot,
    stolen_instance_role,
    switched_role,
    travelling_engineer,
)

STORIES = (
    stolen_instance_role,
    leaked_key,
    switched_role,
    shared_snapshot,
    model_hijack,
    graphics_cards,
    travelling_engineer,
)
