"""Reads every session file of a directory as the Python server does, and strictly.

    python_reader.py STATE_DIR [--write-back]

Prints one JSON object: by session, what that server makes of it. With --write-back each file is
then rewritten as that server saves it: with the fields that it knows, and no others. Ends with an
error at the first field that is missing or has another form than that server takes.
"""

import dataclasses
import datetime
import enum
import json
import pathlib
import re
import sys


class Checkpoint(enum.Enum):
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclasses.dataclass
class Command:
    command: str
    output: str
    exit_code: int
    executed_at: datetime.datetime
    duration_ms: float


@dataclasses.dataclass
class Artifact:
    phase_number: int
    evidence: dict
    outputs: dict
    commands_executed: list
    timestamp: datetime.datetime


@dataclasses.dataclass
class State:
    session_id: str
    workflow_type: str
    target_file: str
    current_phase: int
    completed_phases: list
    phase_artifacts: dict
    checkpoints: dict
    created_at: datetime.datetime
    updated_at: datetime.datetime
    metadata: dict = dataclasses.field(default_factory=dict)


def typed(value, kind, what):
    """Returns `value`, which has to be of `kind`; True is no number here."""
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    if not fits:
        raise TypeError(f"{what} is {value!r}, not {kind.__name__}")
    return value


def moment(text, what):
    return datetime.datetime.fromisoformat(typed(text, str, what))


def command(data):
    return Command(
        typed(data["command"], str, "command"),
        typed(data["output"], str, "output"),
        typed(data["exit_code"], int, "exit_code"),
        moment(data["executed_at"], "executed_at"),
        float(data["duration_ms"]),
    )


def artifact(data):
    known = {field.name for field in dataclasses.fields(Artifact)}
    if set(data) != known:
        raise TypeError(f"an artifact has {sorted(data)}, not {sorted(known)}")
    return Artifact(
        typed(data["phase_number"], int, "phase_number"),
        typed(data["evidence"], dict, "evidence"),
        typed(data["outputs"], dict, "outputs"),
        [command(one) for one in typed(data["commands_executed"], list, "commands_executed")],
        moment(data["timestamp"], "timestamp"),
    )


def state(data):
    session_id = typed(data["session_id"], str, "session_id")
    if not re.match(r"^[a-f0-9-]{36}$", session_id):
        raise ValueError(f"{session_id!r} is no session id")
    # Files of this server have every field that the Python server writes, also the optional ones.
    artifacts = typed(data["phase_artifacts"], dict, "phase_artifacts").items()
    checkpoints = typed(data["checkpoints"], dict, "checkpoints").items()
    return State(
        session_id,
        typed(data["workflow_type"], str, "workflow_type"),
        typed(data["target_file"], str, "target_file"),
        typed(data["current_phase"], int, "current_phase"),
        [typed(one, int, "a phase") for one in typed(data["completed_phases"], list, "phases")],
        {int(phase): artifact(one) for phase, one in artifacts},
        {int(phase): Checkpoint(one) for phase, one in checkpoints},
        moment(data["created_at"], "created_at"),
        moment(data["updated_at"], "updated_at"),
        typed(data["metadata"], dict, "metadata"),
    )


def complete(session):
    total = session.metadata.get("total_phases", 6)
    lowest = min(session.completed_phases, default=session.current_phase)
    return session.current_phase >= total if lowest == 0 else session.current_phase > total


def status(session):
    if complete(session):
        return "completed"
    if session.metadata.get("paused"):
        return "paused"
    if Checkpoint.FAILED in session.checkpoints.values():
        return "error"
    return "active"


def plain(value):
    """Returns what the Python server writes: enums as their values, times in ISO format."""
    if dataclasses.is_dataclass(value):
        return {name.name: plain(getattr(value, name.name)) for name in dataclasses.fields(value)}
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def main(directory, *arguments):
    seen = {}
    for path in sorted(pathlib.Path(directory).glob("*.json")):
        with open(path, encoding="utf-8") as file:
            session = state(json.load(file))
        if path.stem != session.session_id:
            raise ValueError(f"{path.name} holds {session.session_id}")
        seen[session.session_id] = {
            "status": status(session),
            "current_phase": session.current_phase,
            "completed_phases": session.completed_phases,
            "artifacts": sorted(session.phase_artifacts),
        }
        if "--write-back" in arguments:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(plain(session), file, indent=2)
    print(json.dumps(seen))


main(*sys.argv[1:])
