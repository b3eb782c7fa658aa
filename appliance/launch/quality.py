"""branchline quality: forms, worklists, evaluations, calibration, coaching notes, scores of a box."""

import getpass
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import click
from pydantic import BeforeValidator, Field

from appliance.bus.messages import (
    AppraisalRow,
    BeginCalibration,
    BeginEvaluation,
    Calibration,
    ChangeEvaluation,
    EvaluationInfo,
    GetAgreement,
    GetAppraisals,
    GetCalibration,
    GetCoachingNotes,
    GetEvaluation,
    GetEvaluations,
    GetQualityForms,
    GetScores,
    GetWorklist,
    PublishQualityForm,
    QualityAnswer,
    QualityCall,
    QualityEvaluation,
    QualityForm,
    QualityItem,
    QualityRemark,
    QualityStep,
    QualityWorklist,
    Request,
    SaveEvaluation,
    ScoreFigures,
    Scores,
    ScoresOf,
    ScoresPer,
    StepEvaluation,
    WriteCoachingNote,
)
from appliance.config.load import load as load_config
from appliance.config.load import read
from appliance.config.part import Name, Part
from appliance.errors import ConfigError
from appliance.launch.asking import CONFIG, PATH, RUN_DIR, beside, columns, on_bus, or_exit
from appliance.launch.moments import Moment
from appliance.recording.quality import forms as form_files

TICKS_PER_S = 100
NA = "na"
ITEM_COLUMN = 24
WHY = {                                           # a rule could not draw more
    "short": "calls are too short", "long": "calls are too long", "queue": "calls are of other queues",
    "direction": "calls are of the other direction", "disposition": "calls have other dispositions",
    "no-scorer": "nobody may score this agent", "no-form": "the form is not published",
}

BY = click.option("--by", default=getpass.getuser, help="Who you are, as quality.people has it. [you]")
FORM = click.option("--form", required=True, help="A published form.")
TEXT = click.option("--text", required=True)
FILE = click.option("--file", type=PATH, help="YAML of answers and remarks. [ask for each]")
SINCE = click.option("--from", "since", type=Moment(), help="E.g. 2026-10-01. [the beginning of this year]")
UNTIL = click.option("--to", "until", type=Moment(), help="[now]")
EVALUATION = click.argument("evaluation", type=int)


def _given(said: object) -> float | None:
    if said == NA:
        return None
    if not isinstance(said, int | float):
        raise ValueError("a number, or na")
    return float(said)


class RemarkPart(Part):
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    item: Name | Literal[""] = ""
    at: Annotated[str, Field(pattern=r"^\d{1,3}:[0-5]\d(\.\d)?$")] | None = None     # minutes:seconds


class Sheet(Part):
    """What a scorer writes in a file."""

    answers: dict[Name, Annotated[float | None, BeforeValidator(_given)]]
    remarks: list[RemarkPart] = Field(default_factory=list)


@click.group()
def quality() -> None:
    """Judge calls with forms, and what comes of it; docs/quality.md."""


@quality.group("forms", invoke_without_command=True)
@BY
@RUN_DIR
@click.pass_context
def forms_group(context: click.Context, by: str, run_dir: Path) -> None:
    """Forms of a running box, and how their files stand to them."""
    if context.invoked_subcommand is None:
        found = _ask(run_dir, GetQualityForms(by=by))
        files = {one.name: one for one in found.files}
        for form in found.forms:
            file = files.pop(form.name, None)
            click.echo(f"{form.name:<20}version {form.version:<4}{_day(form.published_at):<12}{form.by:<16}"
                       f"{'its file is gone' if file is None else 'its file is ' + file.state}")
        for file in files.values():
            click.echo(f"{file.name:<20}{'not published' if file.state == 'new' else file.what}")


@forms_group.command()
@click.argument("files", type=PATH, nargs=-1, metavar="[FILE]...")
@CONFIG
def check(files: Sequence[Path], config: Path) -> None:
    """Say what is wrong with form files; without FILE with all in the folder of forms."""
    def checked() -> list[str]:
        chosen = list(files) or form_files.files(Path(load_config(config).quality.forms))
        found, wrong = [], []
        for path in chosen:
            try:
                form = form_files.load(path)
                items = list(form.items())
                fatal = sum(item.fatal for item, _ in items)
                found.append(f"{path}: in order: {len(items)} items, {fatal} of them fatal")
            except ConfigError as error:
                wrong.append(str(error))
        if wrong:
            raise ConfigError("\n".join([*wrong, *found]))
        return found or ["no forms are there"]
    click.echo("\n".join(or_exit(checked)))


@forms_group.command()
@click.argument("name")
@BY
@RUN_DIR
def publish(name: str, by: str, run_dir: Path) -> None:
    """Make what the file of form NAME says its next version, for evaluations that begin from now on."""
    found = _ask(run_dir, PublishQualityForm(name=name, by=by))
    click.echo(f"{name}: version {found.form.version} "
               f"{'is published' if found.new else 'says the same and is published already'}")


@quality.command()
@click.option("--whose", default="", help="Of another scorer; all: of everybody. [yours]")
@BY
@RUN_DIR
def worklist(whose: str, by: str, run_dir: Path) -> None:
    """Calls that the sampling rules have drawn for you, and what they could not draw."""
    found = _ask(run_dir, GetWorklist(by=by, whose="*" if whose == "all" else whose))
    click.echo("\n".join(_worklist(found)))


@quality.command()
@click.argument("recording")
@FORM
@FILE
@click.option("--draft", is_flag=True, help="Keep it without submitting it.")
@BY
@RUN_DIR
def score(recording: str, form: str, file: Path | None, draft: bool, by: str, run_dir: Path) -> None:
    """Judge RECORDING, from a file or item by item."""
    begun = _ask(run_dir, BeginEvaluation(recording=recording, form=form, by=by))
    _fill(run_dir, begun, file, by, not draft)


@quality.command()
@EVALUATION
@FILE
@BY
@RUN_DIR
def revise(evaluation: int, file: Path | None, by: str, run_dir: Path) -> None:
    """Submit another result in place of yours; what was there stays to be seen."""
    begun = _ask(run_dir, StepEvaluation(evaluation=evaluation, by=by, step="revise"))
    _fill(run_dir, begun, file, by, True)


@quality.command("list")
@click.option("--agent", default="")
@click.option("--recording", default="")
@click.option("--state", default="", type=click.Choice(
    ["", "draft", "submitted", "acknowledged", "appealed", "decided"]))
@BY
@RUN_DIR
def list_command(agent: str, recording: str, state: str, by: str, run_dir: Path) -> None:
    """Evaluations that you may see, newest first."""
    found = _ask(run_dir, GetEvaluations(by=by, agent=agent, recording=recording, state=state, limit=200))
    click.echo("\n".join(map(_line, found.evaluations)) or "none")
    if found.total > len(found.evaluations):
        click.echo(f"and {found.total - len(found.evaluations)} more")


@quality.command()
@EVALUATION
@click.option("--revision", default=0, help="An earlier one. [the newest]")
@BY
@RUN_DIR
def show(evaluation: int, revision: int, by: str, run_dir: Path) -> None:
    """An evaluation with its answers, remarks and history."""
    click.echo("\n".join(_shown(_ask(run_dir, GetEvaluation(
        evaluation=evaluation, by=by, revision=revision)))))


@quality.command()
@EVALUATION
@BY
@RUN_DIR
def acknowledge(evaluation: int, by: str, run_dir: Path) -> None:
    """As the agent: you have seen your result."""
    _step(run_dir, evaluation, by, "acknowledge", "")


@quality.command()
@EVALUATION
@TEXT
@BY
@RUN_DIR
def appeal(evaluation: int, text: str, by: str, run_dir: Path) -> None:
    """As the agent: say why your result should be another one."""
    _step(run_dir, evaluation, by, "appeal", text)


@quality.command()
@EVALUATION
@TEXT
@click.option("--file", type=PATH, help="YAML of other answers. [the result stays]")
@BY
@RUN_DIR
def decide(evaluation: int, text: str, file: Path | None, by: str, run_dir: Path) -> None:
    """Decide an appeal: the result stays, or with --file becomes another one."""
    if file is None:
        _step(run_dir, evaluation, by, "uphold", text)
        return
    answers, remarks = _sheet(file)
    click.echo(_line(_ask(run_dir, ChangeEvaluation(
        evaluation=evaluation, by=by, text=text, answers=answers, remarks=remarks)).info))


@quality.command()
@click.argument("recording")
@FORM
@click.option("--scorers", required=True, help="Who judges it, e.g. chen,sun.")
@BY
@RUN_DIR
def calibrate(recording: str, form: str, scorers: str, by: str, run_dir: Path) -> None:
    """Have RECORDING judged by several scorers who do not see one another's answers."""
    begun = _ask(run_dir, BeginCalibration(recording=recording, form=form, by=by, scorers=[
        name.strip() for name in scorers.split(",") if name.strip()]))
    click.echo(f"calibration {begun.info.calibration}: waits for {', '.join(begun.info.waiting)}")


@quality.command()
@click.argument("number", type=int)
@click.option("--file", type=PATH, help="Your answers: submit them.")
@BY
@RUN_DIR
def calibration(number: int, file: Path | None, by: str, run_dir: Path) -> None:
    """How the scorers of a calibration differ, when all are in; with --file your part of it."""
    found = _ask(run_dir, GetCalibration(calibration=number, by=by))
    if file is not None:
        if found.info.evaluation is None:
            raise click.UsageError(f"--file: {by} is no scorer of calibration {number}")
        answers, remarks = _sheet(file)
        _ask(run_dir, SaveEvaluation(evaluation=found.info.evaluation, by=by, answers=answers,
                                     remarks=remarks, submit=True))
        found = _ask(run_dir, GetCalibration(calibration=number, by=by))
    click.echo("\n".join(_calibration(found)))


@quality.command()
@click.argument("form")
@SINCE
@UNTIL
@BY
@RUN_DIR
def agreement(form: str, since: datetime | None, until: datetime | None, by: str, run_dir: Path) -> None:
    """How far scorers agree on each item of FORM, over all calibrations of a time."""
    begin, end = _time(since, until)
    found = _ask(run_dir, GetAgreement(form=form, since=begin, until=end, by=by))
    click.echo(f"{found.calibrations} calibrations with {form}")
    click.echo(f"{'':<{ITEM_COLUMN}}{'pairs':>7}{'agree':>9}{'apart':>8}{'kappa':>8}")
    for one in found.items:
        click.echo(f"{one.name:<{ITEM_COLUMN}}{one.pairs:>7}{100 * one.agreement:>7.0f} %"
                   f"{_number(one.difference):>8}{_number(one.kappa, 2):>8}")


@quality.command()
@click.argument("agent")
@TEXT
@click.option("--recording", default="")
@click.option("--at", "place", help="Where in the recording: minutes:seconds.")
@BY
@RUN_DIR
def note(agent: str, text: str, recording: str, place: str | None, by: str, run_dir: Path) -> None:
    """Write a coaching note to AGENT."""
    _ask(run_dir, WriteCoachingNote(by=by, agent=agent, text=text, recording=recording, tick=_tick(place)))


@quality.command()
@click.argument("agent", default="")
@BY
@RUN_DIR
def notes(agent: str, by: str, run_dir: Path) -> None:
    """Coaching notes to AGENT, or to you."""
    for one in _ask(run_dir, GetCoachingNotes(by=by, agent=agent)).notes:
        where = f"{one.recording} {_place(one.tick)}".rstrip()
        read_at = f"read {_day(one.read_at)}" if one.read_at else "not read yet"
        click.echo(beside(f"{_day(one.at)}  {one.by:<14}{read_at:<17}", f"{one.text}  {where}".rstrip(),
                          columns()))


@quality.command()
@click.argument("of", type=click.Choice(["agent", "group", "queue", "form", "item", "scorer"]))
@click.option("--per", type=click.Choice(["day", "week", "month", "quarter", "year"]), default="month",
              show_default=True)
@click.option("--form", default="", help="Of this form only.")
@click.option("--agent", default="", help="Of this agent only.")
@SINCE
@UNTIL
@BY
@RUN_DIR
def report(of: ScoresOf, per: ScoresPer, form: str, agent: str, since: datetime | None,
           until: datetime | None, by: str, run_dir: Path) -> None:
    """Mean scores by what they are of and by period, the worst first; the trend is points a period."""
    begin, end = _time(since, until)
    found = _ask(run_dir, GetScores(by=by, of=of, per=per, since=begin, until=end, form=form, agent=agent))
    click.echo("\n".join(_report(found)))


@quality.command()
@click.argument("agent", default="")
@SINCE
@UNTIL
@BY
@RUN_DIR
def appraisal(agent: str, since: datetime | None, until: datetime | None, by: str, run_dir: Path) -> None:
    """Scores and figures of the centre blended as quality.appraisal says, with how it comes."""
    begin, end = _time(since, until)
    found = _ask(run_dir, GetAppraisals(by=by, since=begin, until=end, agent=agent))
    click.echo("\n".join(line for row in found.rows for line in _appraised(row)) or "none")


def _ask(run_dir: Path, request: Request[Any]) -> Any:
    return on_bus(run_dir, lambda bus: bus.ask(request, 10.0), name="boxd")


def _step(run_dir: Path, evaluation: int, by: str, step: QualityStep, text: str) -> None:
    click.echo(_line(_ask(run_dir, StepEvaluation(evaluation=evaluation, by=by, step=step, text=text)).info))


def _fill(run_dir: Path, begun: QualityEvaluation, file: Path | None, by: str, submit: bool) -> None:
    answers, remarks = _sheet(file) if file else _questions(begun)
    found = _ask(run_dir, SaveEvaluation(evaluation=begun.info.evaluation, by=by, answers=answers,
                                         remarks=remarks, submit=submit))
    click.echo(_line(found.info))


def _sheet(path: Path) -> tuple[list[QualityAnswer], list[QualityRemark]]:
    sheet = or_exit(lambda: read(path, Sheet))
    answers = [QualityAnswer(item=item, value=value) for item, value in sheet.answers.items()]
    return answers, [QualityRemark(text=one.text, item=one.item, tick=_tick(one.at)) for one in sheet.remarks]


def _questions(begun: QualityEvaluation) -> tuple[list[QualityAnswer], list[QualityRemark]]:
    """Each item asked for; what the draft has already is the answer to a mere Enter."""
    given = {one.item: one.value for one in begun.answers}
    kept = [one for one in begun.remarks if not one.item or one.tick is not None]
    said = {one.item: one.text for one in begun.remarks if one.item and one.tick is None}
    answers, remarks = [], list(kept)
    for item in begun.form.items:
        click.echo(f"{item.section}: {item.text}" + (" (fatal)" if item.fatal else ""))
        default = None if item.name not in given else _value(item, given[item.name])
        answer = click.prompt(f"  {_range(item)}", default=default, value_proc=_answer(item))
        before = said.get(item.name, "")
        text = click.prompt("  remark", default=before, show_default=bool(before))
        answers.append(QualityAnswer(item=item.name, value=answer))
        if text.strip():
            remarks.append(QualityRemark(item=item.name, text=text))
    return answers, remarks


def _answer(item: QualityItem) -> Any:
    """What click asks with until it fits."""
    def read_answer(text: str) -> float | None:
        if text.strip() == NA and item.na:
            return None
        try:
            value = float({"yes": 1, "y": 1, "no": 0, "n": 0}.get(text.strip(), text))
        except ValueError:
            value = -1.0
        if not item.worst <= value <= item.top or value != int(value):
            raise click.UsageError(f"{text}: give {_range(item)}")
        return value
    return read_answer


def _range(item: QualityItem) -> str:
    answers = "yes or no" if item.kind == "yes-no" else f"{item.worst:g} to {item.top:g}"
    return f"{answers}, or {NA}" if item.na else answers


def _value(item: QualityItem, value: float | None) -> str:
    if value is None:
        return NA
    return ("yes" if value else "no") if item.kind == "yes-no" else f"{value:g}"


def _worklist(found: QualityWorklist) -> Iterator[str]:
    for task in found.tasks:
        yield (f"{_call(task.call)}  {task.form:<16}{task.scorer:<14}by {_day(task.due_at)}"
               f"{'  begun' if task.evaluation else ''}")
    if not found.tasks:
        yield "nothing is to be judged: calls are drawn at midnight, as quality.sampling says"
    for short in found.shortfalls:
        why = ", ".join(f"{count or ''} {WHY.get(what, what)}".strip() for what, count in short.why.items())
        yield (f"{short.rule} {short.period}: of {short.agent} {short.found} of {short.wanted}: "
               f"{why or 'there are no more calls'}")


def _call(call: QualityCall) -> str:
    minutes, seconds = divmod(round(call.duration_s), 60)
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(call.began_at))
    return f"{call.recording}  {began}{minutes:>4}:{seconds:02}  {call.agent:<14}{call.queue or '-':<14}"


def _line(one: EvaluationInfo) -> str:
    passed = "" if one.score is None else "passed" if one.passed else "failed"
    return (f"{one.evaluation:>6}  {_day(one.call.began_at)}  {one.call.agent:<14}{one.form} {one.version:<4}"
            f"{one.scorer:<14}{one.state:<14}{_number(one.score):>6}  {passed}").rstrip()


def _shown(found: QualityEvaluation) -> Iterator[str]:
    yield _line(found.info)
    yield _call(found.info.call)
    yield from _sections(found.form, found)
    for one in found.history:
        score = "" if one.score is None else f" {one.score:g}"
        yield (f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(one.at))}  {one.by:<14}{one.step} "
               f"(revision {one.revision}){score}  {one.text}").rstrip()


def _sections(form: QualityForm, found: QualityEvaluation) -> Iterator[str]:
    given = {one.item: one.value for one in found.answers}
    for item in form.items:
        said = _value(item, given[item.name]) if item.name in given else "-"
        fatal = "  fatal" if item.name in found.fatal else ""
        yield f"  {item.name:<{ITEM_COLUMN}}{said:>5}  of {item.top:g}, weight {item.weight:g}{fatal}"
        yield from _remarks(found, item.name)
    yield from _remarks(found, "")


def _remarks(found: QualityEvaluation, item: str) -> Iterator[str]:
    for one in found.remarks:
        if one.item == item:
            yield beside(f"    {_place(one.tick):>7}  ", one.text, columns())


def _calibration(found: Calibration) -> Iterator[str]:
    yield f"{_call(found.info.call)}  {found.info.form} {found.info.version}"
    if found.info.waiting:
        yield f"waits for {', '.join(found.info.waiting)}; the difference is shown when all are in"
        return
    yield f"{'':<{ITEM_COLUMN}}" + "".join(f"{name[:10]:>11}" for name in found.info.scorers) + (
        f"{'agree':>9}{'apart':>8}")
    for item in found.items:
        values = "".join(f"{NA if value is None else f'{value:g}':>11}" for value in item.values)
        yield (f"{item.name or 'score':<{ITEM_COLUMN}}{values}{100 * item.agreement:>7.0f} %"
               f"{_number(item.difference):>8}")


def _report(found: Scores) -> Iterator[str]:
    """As many of the last periods as the terminal has room for; all without one."""
    width = columns()
    room = len(found.periods) if width is None else max(1, (width - ITEM_COLUMN - 41) // 11)
    shown = found.periods[-room:]
    yield f"{'':<{ITEM_COLUMN}}{'calls':>7}{'mean':>8}{'passed':>9}{'fatal':>8}{'trend':>9}" + "".join(
        f"{name:>11}" for name in shown)
    for row in found.rows:
        whole = row.whole
        trend = "-" if row.trend is None else f"{row.trend:+.1f}"
        yield (f"{row.name or 'all':<{ITEM_COLUMN}}{whole.count:>7}{_number(whole.mean):>8}{_share(whole):>9}"
               f"{whole.fatal:>8}{trend:>9}"
               + "".join(f"{_number(one.mean):>11}" for one in row.periods[-room:]))


def _share(one: ScoreFigures) -> str:
    return f"{100 * one.passed / one.count:.0f} %" if one.count else "-"


def _appraised(row: AppraisalRow) -> Iterator[str]:
    yield f"{row.agent:<16}{_number(row.points):>6}  {row.formula or 'nothing is known'}"
    for part in row.parts:
        name = f"{part.figure} of {part.queue}" if part.queue else part.figure
        yield f"  {name:<26}weight {part.weight:<8g}{part.formula or 'nothing is known, left out'}"


def _time(since: datetime | None, until: datetime | None) -> tuple[float, float]:
    now = datetime.now()
    begin = since or now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin.timestamp(), (until or now).timestamp()


def _tick(place: str | None) -> int | None:
    if place is None:
        return None
    minutes, _, seconds = place.partition(":")
    try:
        return round((int(minutes) * 60 + float(seconds)) * TICKS_PER_S)
    except ValueError:
        raise click.UsageError(f"--at: {place!r}: give minutes:seconds, e.g. 1:23") from None


def _place(tick: int | None) -> str:
    if tick is None:
        return ""
    minutes, seconds = divmod(tick // TICKS_PER_S, 60)
    return f"{minutes}:{seconds:02}"


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
