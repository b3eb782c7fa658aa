"""A flow: what a caller hears and may choose, as a graph of nodes in one YAML file. centre.nodes runs it."""

from appliance.centre.flow.lint import Known as Known
from appliance.centre.flow.lint import mistakes as mistakes
from appliance.centre.flow.load import load_flow as load_flow
from appliance.centre.flow.load import load_subflow as load_subflow
from appliance.centre.flow.model import (
    AgentNode,
    AuthenticateNode,
    BranchNode,
    CallbackNode,
    CollectNode,
    Entry,
    Flow,
    HangupNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    Node,
    NoticeNode,
    Option,
    PauseNode,
    PlayNode,
    QueueNode,
    RecordNode,
    ReplayNode,
    ResumeNode,
    ReturnNode,
    SayNode,
    SetNode,
    SubflowNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
    digest,
)
from appliance.centre.flow.prompts import Language as Language
from appliance.centre.flow.prompts import fragment, fragments

__all__ = [
    "AgentNode", "AuthenticateNode", "BranchNode", "CallbackNode", "CollectNode", "Entry", "Flow",
    "HangupNode", "HoursNode", "Known", "Language", "LanguageNode", "LookupNode", "MenuNode", "Node",
    "NoticeNode", "Option", "PauseNode", "PlayNode", "QueueNode", "RecordNode", "ReplayNode", "ResumeNode",
    "ReturnNode", "SayNode", "SetNode", "SubflowNode", "SurveyNode",
    "TransferNode", "VoicemailNode", "digest", "fragment", "fragments", "load_flow",
    "load_subflow", "mistakes"]
