"""A configuration file as settings: checked as a whole, every problem in one report.

A file with something wrong is still read as far as it is valid, so that what else is wrong is found in the same run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kit.settings.file import read_toml, substitute
from kit.settings.report import ConfigurationError, Problem, problems_of
from kit.settings.types import Section, Texts

Model = TypeVar("Model", bound=Section)
Checks = Callable[[Any], Iterable[Problem]]


def read_settings(
    model: type[Model],
    path: Path,
    checks: Checks,
    environ: Mapping[str, str] | None = None,
    add: Callable[[dict[str, Any]], object] = lambda data: None,
) -> tuple[Model, list[Problem]]:
    """The settings as far as they are valid, and everything that is wrong with them.

    checks: what must hold between tables; they get settings in which what is not valid is its default, or None.
    environ: the process's own unless given. add: puts into the file's data what stands elsewhere; a table may be a
    model already. Raises ConfigurationError if the file cannot be read at all.
    """
    not_put_in: list[Problem] = []
    data = substitute(read_toml(path), os.environ if environ is None else environ, not_put_in)
    add(data)
    context = {"base": path.parent.resolve()}
    found: list[Problem] = []
    try:
        settings = model.model_validate(data, context=context)
    except ValidationError as error:
        found += [problem for problem in problems_of(error, model=model) if problem.key]
        settings = as_far_as_valid(model, data, context)
    found += checks(settings)
    # What was put in as nothing would only be reported a second time, as a bad value.
    broken = {problem.key for problem in not_put_in}
    return settings, [*not_put_in, *(problem for problem in found if problem.key not in broken)]


def load_whole(path: Path, settings: Model, problems: Iterable[Problem], *readers: Callable[[], object]) -> Model:
    """The settings, if nothing is wrong with them and each reader reads its files; else all problems in one error.

    readers: raise ConfigurationError. Problems in another file than `path` name it.
    """
    found = {(problem.key, problem.wrong): problem for problem in problems}
    for reader in readers:
        try:
            reader()
        except ConfigurationError as error:
            for problem in error.problems:
                ours = problem.key and problem.key[0] in type(settings).model_fields
                placed = problem if ours or problem.source else replace(problem, source=error.source)
                found.setdefault((problem.key, problem.wrong), placed)
    if found:
        raise ConfigurationError(path, found.values())
    return settings


def as_far_as_valid(model: type[Model], data: Any, context: dict[str, Any]) -> Model:
    """A model of what is valid in some data; whatever else is needed is its default, or None."""
    if isinstance(data, model):
        return data
    given = data if isinstance(data, Mapping) else {}
    fields = model.model_fields.items()
    return model.model_construct(**{name: _part(field, given.get(name), context) for name, field in fields})


def _part(field: FieldInfo, value: Any, context: dict[str, Any]) -> Any:
    kind: Any = field.annotation
    origin, inner = get_origin(kind), get_args(kind)
    if _is_table(kind) and (value is not None or field.is_required()):
        return as_far_as_valid(kind, value, context)
    if origin is dict and _is_table(inner[-1]) and isinstance(value, Mapping):
        return {str(name): as_far_as_valid(inner[-1], part, context) for name, part in value.items()}
    if origin is tuple and _is_table(inner[0]) and isinstance(value, list):
        return tuple(as_far_as_valid(inner[0], part, context) for part in value)
    if value is not None:
        try:
            return TypeAdapter(Annotated[kind, None, *field.metadata]).validate_python(value, context=context)
        except ValidationError:
            pass
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return {"dict": {}, "tuple": ()}.get(getattr(origin, "__name__", ""))
    return default


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section) and not issubclass(kind, Texts)
