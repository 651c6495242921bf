"""The form of an answer as a JSON schema that servers can enforce. What they cannot is left to the reader of the answer."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from harness.prompting import load, render

KEPT = frozenset({"type", "enum", "const"})
STRUCTURE = frozenset({"properties", "required", "additionalProperties", "items", "anyOf", "$ref", "$defs"})
# annotations, and limits that not every server knows; pydantic holds the answer to those afterwards
DROPPED = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    }
)


class NotStrict(Exception):
    """The schema says something that a strict one cannot."""


@cache
def form_of(schema: type[BaseModel]) -> dict[str, Any]:
    """The body of `response_format.json_schema`: name, schema, and `strict` where the schema allows it.

    A strict schema requires every property, forbids others and holds no limits; a free mapping, a tuple of fixed
    length or a type that holds itself cannot be strict and is sent as pydantic writes it.
    """
    raw = schema.model_json_schema()
    name = re.sub(r"[^A-Za-z0-9_-]", "_", schema.__name__)[:64]
    try:
        return {"name": name, "strict": True, "schema": strict(raw, raw.get("$defs", {}), ())}
    except NotStrict:
        return {"name": name, "schema": raw}


@cache
def instruction(schema: type[BaseModel]) -> str:
    """What a prompt says where the server does not enforce the form; a frozen prompt with the schema in it."""
    shown = json.dumps(form_of(schema)["schema"], ensure_ascii=False)
    return render(load("harness", "form.md"), schema=shown).strip()


def strict(
    node: Mapping[str, Any], definitions: Mapping[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    """One node of a strict schema, with its references put in place. inside: the references it stands in.

    Raises:
        NotStrict: it cannot be said strictly.
    """
    if unknown := node.keys() - KEPT - STRUCTURE - DROPPED:
        raise NotStrict(f"{sorted(unknown)}")
    if "$ref" in node:
        name = str(node["$ref"]).removeprefix("#/$defs/")
        if name in inside or name not in definitions:
            raise NotStrict(f"{name!r} holds itself")
        return strict(definitions[name], definitions, (*inside, name))
    made = {key: value for key, value in node.items() if key in KEPT}
    if "anyOf" in node:
        return made | {"anyOf": [strict(one, definitions, inside) for one in node["anyOf"]]}
    if not made:
        raise NotStrict("any value at all")
    if node.get("type") == "array":
        made["items"] = strict(node.get("items", {}), definitions, inside)
    if node.get("type") == "object":
        if node.get("additionalProperties") or "properties" not in node:
            raise NotStrict("a free mapping")
        fields = {key: strict(one, definitions, inside) for key, one in node["properties"].items()}
        made |= {"properties": fields, "required": list(fields), "additionalProperties": False}
    return made
