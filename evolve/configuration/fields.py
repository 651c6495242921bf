"""A tree of pydantic models as flat, dotted settings with their help. Knows no setting by name and reads nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROLE = "<role>"
URL = "a URL such as http://127.0.0.1:8000/v1"
NONE = "none"
TEXTS = "a list of texts"


@dataclass(frozen=True)
class FieldHelp:
    """One setting, or one table of settings, as people read of it.

    key: dotted; `<role>` stands for each role. type: in words. default: as in JSON; None is written "none".
    required: it has no default.
    """

    key: str
    type: str
    default: object
    help: str
    required: bool = False
    table: bool = False


def walk(tree: type[BaseModel], example: BaseModel | None = None, start: str = "") -> Iterator[FieldHelp]:
    """Every table and setting below a model, in the order of its fields; defaults are those of `example`."""
    for name, field in tree.model_fields.items():
        key, shape = f"{start}{name}", table_of(field)
        value = getattr(example, name) if example is not None else plain(field)
        if shape is None:
            yield FieldHelp(key, in_words(field), value, help_of(field), field.is_required())
            continue
        if shape.by_role:
            yield FieldHelp(key, "one table a role", None, help_of(field, shape.model), table=True)
            key, value = f"{key}.{ROLE}", None
        yield FieldHelp(
            key, "table", None, help_of(None if shape.by_role else field, shape.model), table=True
        )
        yield from walk(shape.model, value if isinstance(value, BaseModel) else None, f"{key}.")


@dataclass(frozen=True)
class Table:
    """A field that holds settings of its own: one model, or one for each role."""

    model: type[BaseModel]
    by_role: bool


def table_of(field: FieldInfo) -> Table | None:
    """What kind of table a field is; None if it is one value (free-form tables count as one)."""
    shape, by_role = field.annotation, False
    if get_origin(shape) is dict:
        shape, by_role = get_args(shape)[1], True
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return Table(shape, by_role)
    return None


def leaves(tree: BaseModel, start: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of an instance by its dotted name, as in JSON."""
    for name, field in type(tree).model_fields.items():
        value, shape = getattr(tree, name), table_of(field)
        if shape is None:
            yield f"{start}{name}", value
        elif isinstance(value, BaseModel):
            yield from leaves(value, f"{start}{name}.")
        else:
            for role, one in value.items():
                yield from leaves(one, f"{start}{name}.{role}.")


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted settings as tables in tables."""
    whole: dict[str, Any] = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        table = whole
        for part in path:
            if not isinstance(table.get(part), dict):
                table[part] = {}
            table = table[part]
        table[last] = value
    return whole


def plain(field: FieldInfo) -> object:
    """A field's default; None where it has none."""
    return None if field.is_required() else field.get_default(call_default_factory=True)


def help_of(field: FieldInfo | None, model: type[BaseModel] | None = None) -> str:
    """The docstring under a field, or that of the model it holds, in one line."""
    own = field.description if field is not None else None
    text = own or (model.__doc__ if model is not None else "") or ""
    return " ".join(cleandoc(text).split("\n\n")[0].split())


def optional(field: FieldInfo) -> bool:
    """Whether "none" is a value of the field."""
    return NoneType in get_args(field.annotation)


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words that a field may be; none if it is no choice between words."""
    kind = kind_of(field)
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def kind_of(field: FieldInfo) -> Any:
    """A field's type without None."""
    if get_origin(field.annotation) not in (Union, UnionType):
        return field.annotation
    (kind,) = (one for one in get_args(field.annotation) if one is not NoneType)
    return kind


def in_words(field: FieldInfo) -> str:
    """What a value may be, to be read after "must be"."""
    kind, otherwise = kind_of(field), f', or "{NONE}"' if optional(field) else ""
    if words := choices(field):
        return f"{', '.join(words[:-1])} or {words[-1]}{otherwise}"
    if kind is int or kind is float:
        return ("a whole number" if kind is int else "a number") + bounds(field) + otherwise
    if kind is bool:
        return f"true or false{otherwise}"
    if kind is str:
        patterned = any(getattr(one, "pattern", None) for one in field.metadata)
        return (URL if patterned else "text") + otherwise
    return TEXTS if get_origin(kind) is tuple else "a table"


def bounds(field: FieldInfo) -> str:
    """The range of a number, in words."""
    low = next((one for one in field.metadata if isinstance(one, Ge | Gt)), None)
    high = next((one for one in field.metadata if isinstance(one, Le | Lt)), None)
    texts = []
    if low is not None:
        texts.append(f"of at least {low.ge}" if isinstance(low, Ge) else f"greater than {low.gt}")
    if high is not None:
        texts.append(f"at most {high.le}" if isinstance(high, Le) else f"less than {high.lt}")
    return f" {' and '.join(texts)}" if texts else ""
