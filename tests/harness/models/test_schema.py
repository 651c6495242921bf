"""Schemas as servers take them: strict where that can be said, and never stricter in name than in fact."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from evolve.iteration import Diagnosis
from harness.domains import RubricChecks as Checks
from harness.judge import Judgement
from harness.models.schema import DROPPED, KEPT, STRUCTURE, form_of, instruction
from harness.parsing import validate


class Inner(BaseModel):
    """A part."""

    kind: Literal["a"] = "a"
    number: int | None = None


class Outer(BaseModel):
    """With a field in every way that pydantic writes one."""

    title: str = Field(max_length=5, description="how it is called")
    inner: Inner
    many: tuple[Inner, ...] = Field(min_length=1)
    choice: Inner | str = "x"


class Tree(BaseModel):
    children: list[Tree] = []


class Free(BaseModel):
    values: dict[str, int]


class Pair(BaseModel):
    pair: tuple[int, str]


class Anything(BaseModel):
    value: Any


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of a schema."""
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    below += [schema["items"]] if "items" in schema else []
    return [schema, *(node for one in below for node in nodes(one))]


@pytest.mark.parametrize("model", [Checks, Judgement, Diagnosis, Outer])
def test_strict_schemas(model: type[BaseModel]) -> None:
    """Every object requires all of its properties and no others; references are resolved; no limit is left."""
    form = form_of(model)
    assert form["strict"] is True and form["name"] == model.__name__
    for node in nodes(form["schema"]):
        assert node.keys() <= (KEPT | STRUCTURE) - {"$ref", "$defs"} and not node.keys() & DROPPED
        if node.get("type") == "object":
            assert node["required"] == list(node["properties"]) and node["additionalProperties"] is False


def test_the_schema_of_a_judgement() -> None:
    """The whole of it, for whoever has to debug a server."""
    properties = {"number": {"type": "integer"}, "evidence": {"type": "string"}, "met": {"type": "boolean"}}
    entry = {
        "type": "object",
        "properties": properties,
        "required": ["number", "evidence", "met"],
        "additionalProperties": False,
    }
    assert form_of(Judgement)["schema"] == {
        "type": "object",
        "properties": {"criteria": {"type": "array", "items": entry}},
        "required": ["criteria"],
        "additionalProperties": False,
    }


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    """A field called `title` is a field, and stays."""
    assert "title" in form_of(Outer)["schema"]["properties"]


@pytest.mark.parametrize("model", [Tree, Free, Pair, Anything])
def test_what_cannot_be_strict_is_not_called_so(model: type[BaseModel]) -> None:
    """A type that holds itself, a free mapping, a tuple of fixed length and any value are sent as pydantic has them."""
    assert form_of(model) == {"name": model.__name__, "schema": model.model_json_schema()}


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Judgement, {"criteria": [{"number": 1, "evidence": "", "met": True}]}),
        (
            Checks,
            dict.fromkeys(("leak", "rubric_tests_content", "label_fits"), True)
            | {"quality": "GOOD", "feedback": ""},
        ),
    ],
)
def test_what_fits_the_schema_is_read(model: type[BaseModel], value: object) -> None:
    """An answer with all properties, as the strict schema demands, is one that the reader takes."""
    assert validate(value, model).model_dump(mode="json") == value


def test_the_instruction_holds_the_schema_and_the_word_that_servers_demand() -> None:
    """OpenAI refuses `json_object` unless a message says JSON; the schema is there whole."""
    text = instruction(Judgement)
    assert "JSON object" in text and text == text.strip()
    assert json.loads(text[text.index("{") :]) == form_of(Judgement)["schema"]
