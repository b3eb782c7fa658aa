"""The content of a Facility element: octets <-> components of remote operations.

A component is an invocation of an operation, its result, its error, or a rejection. Private exchanges put
before them for which exchange they are, and what one that does not know an operation shall do.

Ref: ITU-T Q.932, 8.2; ETSI EN 300 196-1, 11.2; ECMA-165, 7 and 11 (networking extensions).
"""
from dataclasses import dataclass
from enum import IntEnum

from appliance.errors import DecodeError
from appliance.isdn.profile import NETWORKING, ROSE
from appliance.isdn.supplementary.codec import CLAUSE, decode, encode

Code = int | str                                  # of an operation or error: a number, or a dotted identifier

LAST = 0x80                                       # extension bit: octet 3 ends its group
NFE, NPP, INTERPRETATION = 0xAA, 0xB2, 0x8B       # tags of what may stand before the components
COMPONENTS = (0xA1, 0xA2, 0xA3, 0xA4)             # invoke, return result, return error, reject
MOST_COMPONENTS = 8                               # of one message: real ones have at most four


class General(IntEnum):
    """Problems with a component whatever it is."""

    UNRECOGNIZED_COMPONENT = 0
    MISTYPED_COMPONENT = 1
    BADLY_STRUCTURED = 2


class InvokeProblem(IntEnum):
    DUPLICATE_INVOCATION = 0
    UNRECOGNIZED_OPERATION = 1
    MISTYPED_ARGUMENT = 2
    RESOURCE_LIMITATION = 3


class ResultProblem(IntEnum):
    UNRECOGNIZED_INVOCATION = 0
    UNEXPECTED = 1
    MISTYPED_RESULT = 2


class ErrorProblem(IntEnum):
    UNRECOGNIZED_INVOCATION = 0


Problem = General | InvokeProblem | ResultProblem | ErrorProblem
PROBLEMS: dict[str, type[Problem]] = {
    "general": General, "invoke": InvokeProblem, "returnResult": ResultProblem, "returnError": ErrorProblem}


class Unrecognized(IntEnum):
    """What the sender wants done with operations that are not known: the interpretation APDU of ECMA-165."""

    DISCARD = 0
    CLEAR_CALL = 1
    REJECT = 2


@dataclass(frozen=True, slots=True)
class Invoke:
    id: int
    operation: Code
    argument: bytes | None = None


@dataclass(frozen=True, slots=True)
class Result:
    id: int
    operation: Code | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Error:
    id: int
    error: Code


@dataclass(frozen=True, slots=True)
class Reject:
    """`id` None: the component that is rejected showed none."""

    id: int | None
    problem: Problem | int


Component = Invoke | Result | Error | Reject


@dataclass(frozen=True, slots=True)
class Content:
    """`unreadable`: what to answer for components that could not be read, a Reject each."""

    components: tuple[Component, ...]
    unrecognized: Unrecognized = Unrecognized.REJECT
    for_end: bool = False                         # of the call, beyond an exchange that only switches it
    unreadable: tuple[Reject, ...] = ()


def read(data: bytes, most: int = MOST_COMPONENTS) -> Content:
    """DecodeError: it is of another protocol, or what stands before the components cannot be read.

    Of more than `most` components the rest is passed over: each would be answered by a message of its own.
    """
    profile, rest = data[0] & ~LAST & 0x1F, data[1:]
    if profile not in (ROSE, NETWORKING):
        raise DecodeError(None, CLAUSE, f"protocol profile {profile:#04x}")
    for_end, unrecognized = False, Unrecognized.REJECT
    if rest[:1] == bytes((NFE,)):
        extension, used = decode("Qsig-Operations", "NetworkFacilityExtension", rest)
        for_end, rest = extension["destinationEntity"] == 0, rest[used:]
    if rest[:1] == bytes((NPP,)):
        _, used = decode("Qsig-Operations", "NetworkProtocolProfile", rest)
        rest = rest[used:]
    if rest[:1] == bytes((INTERPRETATION,)):
        wanted, used = decode("Qsig-Operations", "Interpretation", rest)
        unrecognized, rest = Unrecognized(wanted) if wanted <= 2 else Unrecognized.REJECT, rest[used:]
    components: list[Component] = []
    unreadable: list[Reject] = []
    while rest and len(components) + len(unreadable) < most:
        try:
            component, used = _component(rest)
            components.append(component)
        except DecodeError:
            problem, used = _what_is_wrong(rest)
            if rest[0] != COMPONENTS[3]:          # a rejection is never rejected: two of us would not end
                unreadable.append(Reject(None, problem))
        rest = rest[used:]
    return Content(tuple(components), unrecognized, for_end, tuple(unreadable))


def write(*components: Component, networking: bool = False,
          unrecognized: Unrecognized = Unrecognized.REJECT) -> bytes:
    """The content of a Facility element. ValueError: a component that does not exist.

    `networking`: with the extension of private networks, from the end of the call to its other end.
    """
    head = bytes((LAST | ROSE,))
    if networking:
        head = bytes((LAST | NETWORKING,)) + encode(
            "Qsig-Operations", "NetworkFacilityExtension", {"sourceEntity": 0, "destinationEntity": 0})
        if unrecognized is not Unrecognized.REJECT:      # which is what no interpretation means
            head += encode("Qsig-Operations", "Interpretation", int(unrecognized))
    return head + b"".join(_octets(component) for component in components)


def _component(octets: bytes) -> tuple[Component, int]:
    (kind, value), used = decode("Facility-Components", "Component", octets)
    match kind:
        case "invoke":
            argument = value.get("argument")
            return Invoke(value["invokeId"], value["operation"][1], argument and bytes(argument)), used
        case "returnResult":
            result = value.get("result")
            if result is None:
                return Result(value["invokeId"]), used
            octets = result.get("value")
            return Result(value["invokeId"], result["operation"][1], octets and bytes(octets)), used
        case "returnError":
            return Error(value["invokeId"], value["error"][1]), used
        case _:
            of, number = value["problem"]
            kinds = PROBLEMS[of]
            known = number in kinds.__members__.values()
            return Reject(value["invokeId"][1], kinds(number) if known else number), used


def _what_is_wrong(octets: bytes) -> tuple[General, int]:
    """The problem of a component that cannot be read, and how many octets it takes."""
    try:
        _, used = decode("Facility-Components", "Anything", octets)
    except DecodeError:
        return General.BADLY_STRUCTURED, len(octets)
    if octets[0] not in COMPONENTS:
        return General.UNRECOGNIZED_COMPONENT, used
    return General.MISTYPED_COMPONENT, used


def _octets(component: Component) -> bytes:
    match component:
        case Invoke(id=id_, operation=operation, argument=argument):
            invoke = {"invokeId": id_, "operation": _code(operation)}
            value: tuple[str, object] = (
                "invoke", invoke if argument is None else invoke | {"argument": argument})
        case Result(id=id_, operation=None):
            value = "returnResult", {"invokeId": id_}
        case Result(id=id_, operation=operation, value=octets):
            result: dict[str, object] = {"operation": _code(operation or 0)}
            if octets is not None:
                result["value"] = octets
            value = "returnResult", {"invokeId": id_, "result": result}
        case Error(id=id_, error=error):
            value = "returnError", {"invokeId": id_, "error": _code(error)}
        case Reject(id=rejected, problem=problem):
            of = next((name for name, kind in PROBLEMS.items() if isinstance(problem, kind)), "general")
            value = "reject", {"invokeId": ("unknown", None) if rejected is None else ("known", rejected),
                               "problem": (of, int(problem))}
    return encode("Facility-Components", "Component", value)


def _code(code: Code) -> tuple[str, Code]:
    return ("local" if isinstance(code, int) else "global"), code
