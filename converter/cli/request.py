"""What the user asks `sigmapack convert` for, and what of it no rule could take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from converter import config, mapping, packs, sound
from converter.cli.asked import NDJSON, Request
from converter.cli.say import say
from converter.convert import How, stock_backend
from converter.errors import UsageError
from converter.framing import framing
from converter.kept import Kept
from converter.packs import Reading
from converter.stock import StockOptions, built_in
from converter.targets import DEFAULTS, TARGETS, named
from converter.targets.target import Target


def how_of(project: config.Project | None, reading: Reading, request: Request | None = None) -> How:
    """The request's pipelines and filters, or the project's where it has none; a filter among the INPUTs counts too."""
    pipelines = (request.pipelines if request else ()) or (project.pipelines if project else ())
    named_filters = (request.filters if request else ()) or tuple(map(str, project.filters if project else ()))
    extra = packs.read(named_filters) if named_filters else Reading()
    filters = (*reading.filters, *extra.filters)
    faults = sound.filter_problems(filters)
    reading.problems += [*extra.problems, *faults]
    reading.absent += [problem for problem in extra.absent if "does not exist" in problem.message]
    unsound = {(fault.path, fault.line) for fault in faults}
    return How(
        options=_options(request, pipelines, project) if request else StockOptions(pipelines, check_files=True),
        stock=bool(request and request.stock),
        filters=tuple(each for each in filters if (each.path, each.first_line) not in unsound),
        referable=tuple(reading.rules),
        placeholders=project.placeholders if project else {},
        allow_unmapped=bool(request and request.allow_unmapped),
        allow_inexact=bool(request and request.allow_inexact),
        without=frozenset(name.upper() for name in (request.without if request else ())),
    )


def places(request: Request) -> tuple[config.Project | None, tuple[str, ...], Path | None]:
    """The project, the INPUTs, and the output that the request names or the project has; raises where none is meant."""
    project = config.find(Path.cwd()) if request.inputs else config.project(Path.cwd())
    inputs = request.inputs or tuple(map(str, project.packs if project else ()))
    output = request.output or (project.outputs if project and not request.inputs else None)
    return project, inputs, None if output == Path(packs.STANDARD_INPUT) else output


def kept_of(inputs: Sequence[str], targets: Sequence[Target], request: Request) -> Kept:
    """What earlier runs keep for this one."""
    return Kept.of([Path.cwd(), tuple(inputs), [target.name for target in targets], request.stock])


def requested_targets(request: Request, project: config.Project | None) -> list[Target]:
    """The targets that the request names, or the project's; raises where there is none of a name."""
    if request.stock:
        # sigma-cli's targets are all installed backends; where one is a target of ours, its files keep our suffix.
        names = request.targets or (project.targets if project else ()) or DEFAULTS
        return [TARGETS.get(name) or Target(name, name, name, "txt", "") for name in dict.fromkeys(names)]
    return named(request.targets) if request.targets else targets_of(project)


def targets_of(project: config.Project | None) -> list[Target]:
    """The targets of the project, or the defaults; raises SigmapackError with the line of one that there is not."""
    for name in project.targets if project else ():
        if project and name not in TARGETS:
            raise config.blamed(project, "targets", name, f"unknown target {name}; have: {', '.join(TARGETS)}")
    return named((project.targets if project else ()) or DEFAULTS)


def _options(request: Request, pipelines: tuple[str, ...], project: config.Project | None) -> StockOptions:
    options: dict[str, list[int | str]] = {}
    for key, value in request.backend_options:
        options.setdefault(key, []).append(value)
    return StockOptions(
        pipelines=pipelines,
        format="default" if request.form == NDJSON else request.form,
        correlation_method=request.method,
        backend_options={key: values[0] if len(values) == 1 else values for key, values in options.items()},
        without_pipeline=request.without_pipeline,
        pipeline_check=request.pipeline_check,
        check_files=not request.stock,
        enable_template_vars=request.enable_template_vars,
        template_vars_paths=request.template_paths,
        beside=tuple(target.name for target in requested_targets(request, project)) if request.stock else (),
    )


def refuse_what_no_rule_can_take(
    project: config.Project | None, targets: Sequence[Target], how: How, request: Request | None = None
) -> None:
    """Raise UsageError for options that fail whatever the rules, before anything is written."""
    form = request.form if request else "default"
    if form not in {"default", NDJSON} and len(targets) > 1:
        names = ", ".join(target.name for target in targets)
        raise UsageError(f"the format {form} takes one target; choose it with -t: {names}")
    refuse_repairs(targets, how)
    if how.stock:
        for target in targets:
            stock_backend(target.name, how.options)
        return
    if request and request.without_pipeline:
        raise UsageError("--without-pipeline goes with --stock: a route is what makes a query right")
    if how.options.correlation_method and not any(hasattr(target.dialect, "correlation") for target in targets):
        raise UsageError(f"{', '.join(target.name for target in targets)} has no correlations; leave -c out")
    for target in targets:
        _refuse_pipelines(project, target, how, request)
        if how.options.correlation_method and hasattr(target.dialect, "correlation"):
            framing(target, how)
        if form not in {"default", NDJSON} or how.options.backend_options:
            framing(target, how)


def refuse_repairs(targets: Sequence[Target], how: How) -> None:
    """Raise UsageError for a repair to leave out that none of the targets has, or that none can leave out."""
    if how.stock and (how.without or how.allow_inexact):
        raise UsageError(
            "--stock has no repairs to leave out, and refuses nothing: leave --without, --allow-inexact out"
        )
    if not how.without:
        return
    known = {name: repair for target in targets for name, repair in target.repairs.items()}
    for name in sorted(how.without):
        if name not in known:
            have = ", ".join(each for each, repair in known.items() if not repair.inseparable)
            raise UsageError(f"unknown repair {name}; have: {have}")
        if known[name].inseparable:
            raise UsageError(f"{name} cannot be left out: {known[name].inseparable}")


def refuse_own_outputs(project: config.Project | None, output: Path | None, how: How) -> None:
    """Raise UsageError where queries that lack a repair would take the place of the project's own."""
    if how.without and output is not None and project and output.resolve() == project.outputs.resolve():
        raise UsageError("--without writes nothing into the project's outputs; choose another folder with -o")


def _refuse_pipelines(project: config.Project | None, target: Target, how: How, request: Request | None) -> None:
    try:
        mapping.added(how.options, target.family)
    except UsageError as error:
        if project is None or (request and request.pipelines):
            raise
        names = (name for name in how.options.pipelines if name in str(error))
        raise config.blamed(project, "pipelines", next(names, ""), str(error)) from error
    for name in how.options.pipelines:
        if name in built_in(target.family):
            say(f"{name}: the routes of {target.name} do its work; --stock applies it")
