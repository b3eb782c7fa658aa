"""Quality, recordd's: forms, evaluations of recordings, worklists, calibration, coaching, scores.

`by` is the person who asks, as signed in; what one may do is in quality.people. A value of None is "not
applicable". A tick is 10 ms of the recording. Refused: with a sentence.
"""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Reply, Request
from appliance.bus.messages.within import Within

QualityStep = Literal["acknowledge", "appeal", "uphold", "revise"]
ScoresOf = Literal["agent", "group", "queue", "form", "item", "scorer"]
ScoresPer = Literal["day", "week", "month", "quarter", "year"]


class QualityItem(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    section: str
    text: str
    kind: str                                     # yes-no, scale, points
    worst: float
    top: float
    weight: float                                 # in the whole
    fatal: bool
    na: bool
    help: str


class QualityForm(msgspec.Struct, frozen=True, kw_only=True):
    digest: str
    name: str
    version: int
    title: str
    passing: float
    published_at: float
    by: str
    items: list[QualityItem]


class QualityFile(msgspec.Struct, frozen=True, kw_only=True):
    """A form's file in the folder of forms."""

    name: str
    state: Literal["published", "changed", "new", "wrong"]
    what: str = ""                                # the mistakes of one that is wrong


class QualityForms(Reply, frozen=True):
    forms: list[QualityForm]                      # the newest version of each
    files: list[QualityFile]


class GetQualityForms(Request[QualityForms], frozen=True):
    owner: ClassVar[str] = "recordd"
    by: str


class QualityPublished(Reply, frozen=True):
    form: QualityForm
    new: bool                                     # False: this version was published before


class PublishQualityForm(Request[QualityPublished], frozen=True):
    """Keep what the form's file says as its next version."""

    owner: ClassVar[str] = "recordd"
    name: str
    by: str


class QualityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    value: float | None


class QualityRemark(msgspec.Struct, frozen=True, kw_only=True):
    """item "": of the whole call. tick None: of no place in it."""

    text: str
    item: str = ""
    tick: int | None = None


class QualityHistory(msgspec.Struct, frozen=True, kw_only=True):
    at: float
    by: str
    step: str
    revision: int
    text: str
    score: float | None = None                    # of what was submitted by it


class QualityCall(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged."""

    recording: str
    contact: str
    agent: str
    queue: str
    began_at: float
    duration_s: float


class EvaluationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list. `score` None: not submitted, or nothing applied."""

    evaluation: int
    call: QualityCall
    form: str                                     # its name
    version: int
    title: str
    scorer: str
    state: str                                    # draft, submitted, acknowledged, appealed, decided
    revision: int
    at: float                                     # of the last step
    score: float | None
    passed: bool
    calibration: int | None


class QualityEvaluation(Reply, frozen=True):
    """`draft`: what is shown is not submitted yet; of a revision the result is still the one before."""

    info: EvaluationInfo
    form: QualityForm
    draft: bool
    answers: list[QualityAnswer]
    remarks: list[QualityRemark]
    running: float | None                         # score of what is shown
    fatal: list[str]
    history: list[QualityHistory]
    may: list[str]                                # steps open to who asks: save, acknowledge, appeal, ...


class BeginEvaluation(Request[QualityEvaluation], frozen=True):
    """A draft of one's own; one that is there is gone on with. It takes the task of the worklist with it."""

    owner: ClassVar[str] = "recordd"
    recording: str
    form: str
    by: str


class GetEvaluation(Request[QualityEvaluation], frozen=True):
    owner: ClassVar[str] = "recordd"
    evaluation: int
    by: str
    revision: int = 0                             # an earlier one that was submitted; 0: the newest


class SaveEvaluation(Request[QualityEvaluation], frozen=True):
    """All answers and remarks of the draft. submit: from then on it is never changed."""

    owner: ClassVar[str] = "recordd"
    evaluation: int
    by: str
    answers: list[QualityAnswer]
    remarks: list[QualityRemark]
    submit: bool = False


class StepEvaluation(Request[QualityEvaluation], frozen=True):
    """acknowledge, appeal: the agent's. uphold: of an appeal, by another person than the scorer.

    revise: the scorer's, begins a new revision. text: of an appeal and its decision not empty.
    """

    owner: ClassVar[str] = "recordd"
    evaluation: int
    by: str
    step: QualityStep
    text: str = ""


class ChangeEvaluation(Request[QualityEvaluation], frozen=True):
    """Decide an appeal with another result, as a new revision; by another person than the scorer."""

    owner: ClassVar[str] = "recordd"
    evaluation: int
    by: str
    text: str
    answers: list[QualityAnswer]
    remarks: list[QualityRemark]


class EvaluationList(Reply, frozen=True):
    evaluations: list[EvaluationInfo]             # newest first
    total: int


class GetEvaluations(Request[EvaluationList], frozen=True):
    """Those that who asks may see. agent, recording, state "": any."""

    owner: ClassVar[str] = "recordd"
    by: str
    agent: str = ""
    recording: str = ""
    state: str = ""
    offset: int = 0
    limit: int = 50
    within: Within | None = None                  # None: all whom he may see


class QualityTask(msgspec.Struct, frozen=True, kw_only=True):
    task: int
    rule: str
    period: str
    due_at: float                                 # the period's end
    form: str
    scorer: str
    call: QualityCall
    evaluation: int | None                        # its draft


class QualityShortfall(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule wants and cannot have."""

    rule: str
    period: str
    agent: str
    wanted: int                                   # by now
    found: int
    why: dict[str, int]                           # words of the pages -> so many calls; 0: of no calls


class QualityWorklist(Reply, frozen=True):
    tasks: list[QualityTask]                      # open, first due first
    shortfalls: list[QualityShortfall]


class GetWorklist(Request[QualityWorklist], frozen=True):
    """One's own; whose: of another person, "*": of all, for who may decide appeals."""

    owner: ClassVar[str] = "recordd"
    by: str
    whose: str = ""


class QualityPerson(Reply, frozen=True):
    """Who somebody is in quality."""

    agent: str                                    # "": none
    may: list[str]                                # acts, with the calls of some agents at least
    agents: list[str]                             # whose results he may see
    scorers: list[str]                            # everybody who may score
    appeals: int                                  # that wait for a decision of his
    unread: int                                   # notes to him


class GetQualityPerson(Request[QualityPerson], frozen=True):
    owner: ClassVar[str] = "recordd"
    by: str


class CallList(Reply, frozen=True):
    calls: list[QualityCall]                      # newest first
    total: int


class GetOwnCalls(Request[CallList], frozen=True):
    """The recordings of who asks, when he is an agent."""

    owner: ClassVar[str] = "recordd"
    by: str
    offset: int = 0
    limit: int = 50


class CalibrationInfo(msgspec.Struct, frozen=True, kw_only=True):
    calibration: int
    call: QualityCall
    form: str
    version: int
    title: str
    by: str
    at: float
    scorers: list[str]
    waiting: list[str]                            # who has not submitted
    evaluation: int | None                        # one's own


class CalibrationItem(msgspec.Struct, frozen=True, kw_only=True):
    name: str                                     # "": the score
    text: str
    values: list[float | None]                    # in the order of the scorers
    agreement: float                              # share of pairs with the same answer
    difference: float | None                      # mean of pairs, of 100 points; None: no pair


class Calibration(Reply, frozen=True):
    """items: only when all are in; until then nobody sees another's."""

    info: CalibrationInfo
    items: list[CalibrationItem]


class BeginCalibration(Request[Calibration], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str
    form: str
    scorers: list[str]
    by: str


class GetCalibration(Request[Calibration], frozen=True):
    owner: ClassVar[str] = "recordd"
    calibration: int
    by: str


class CalibrationList(Reply, frozen=True):
    calibrations: list[CalibrationInfo]           # newest first


class GetCalibrations(Request[CalibrationList], frozen=True):
    """Those that one began, scores in, or may see."""

    owner: ClassVar[str] = "recordd"
    by: str


class AgreementItem(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str
    pairs: int                                    # of answers of two scorers to one call
    agreement: float
    difference: float | None                      # mean, of 100 points
    kappa: float | None                           # None: all gave one answer, or too few did


class Agreement(Reply, frozen=True):
    form: str
    calibrations: int
    items: list[AgreementItem]


class GetAgreement(Request[Agreement], frozen=True):
    """Over all calibrations of a form that are in, begun in that time."""

    owner: ClassVar[str] = "recordd"
    form: str
    since: float
    until: float
    by: str


class CoachingNote(msgspec.Struct, frozen=True, kw_only=True):
    note: int
    agent: str
    by: str
    at: float
    text: str
    recording: str                                # "": of none
    tick: int | None
    read_at: float | None                         # by the agent


class CoachingNotes(Reply, frozen=True):
    notes: list[CoachingNote]                     # newest first


class GetCoachingNotes(Request[CoachingNotes], frozen=True):
    """To the agent who asks; agent: to another, for who may coach him."""

    owner: ClassVar[str] = "recordd"
    by: str
    agent: str = ""
    recording: str = ""


class WriteCoachingNote(Request[Done], frozen=True):
    """agent "": the recording's."""

    owner: ClassVar[str] = "recordd"
    by: str
    text: str
    agent: str = ""
    recording: str = ""
    tick: int | None = None


class ReadCoachingNote(Request[Done], frozen=True):
    """The agent has read it; again is harmless."""

    owner: ClassVar[str] = "recordd"
    by: str
    note: int


class ScoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    """period "": the whole time."""

    period: str
    count: int
    mean: float | None                            # of 100
    passed: int
    fatal: int


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    name: str                                     # "": all
    text: str                                     # of an item: its question
    whole: ScoreFigures
    periods: list[ScoreFigures]
    trend: float | None                           # points a period, of the line through the means


class Scores(Reply, frozen=True):
    """Of submitted results, each at the time of its call; of the calls of agents whom one may see."""

    periods: list[str]
    rows: list[ScoreRow]                          # all together first; the worst first


class GetScores(Request[Scores], frozen=True):
    owner: ClassVar[str] = "recordd"
    by: str
    of: ScoresOf
    per: ScoresPer
    since: float
    until: float
    form: str = ""
    agent: str = ""
    within: Within | None = None                  # None: all whom he may see


class AppraisalPart(msgspec.Struct, frozen=True, kw_only=True):
    figure: str
    queue: str
    weight: float
    worst: float
    best: float
    value: float | None                           # None: nothing is known: the part is left out
    points: float | None                          # 0 to 100
    formula: str                                  # how the points come of the value; "": it is not known


class AppraisalRow(msgspec.Struct, frozen=True, kw_only=True):
    agent: str
    points: float | None
    formula: str                                  # how the whole comes of the parts; "": none is known
    parts: list[AppraisalPart]


class Appraisals(Reply, frozen=True):
    rows: list[AppraisalRow]                      # the best first


class GetAppraisals(Request[Appraisals], frozen=True):
    """Score and figures of the centre blended as quality.appraisal says. agent "": all whom one may see."""

    owner: ClassVar[str] = "recordd"
    by: str
    since: float
    until: float
    agent: str = ""
