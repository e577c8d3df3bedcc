"""Do agents get through their workflows, and is what they do kept?"""

from grafana import BAD, GOOD, QUIET, dashboard, graph, heatmap, increase, quantile, rate, row, series, stat, steps
from grafana import target, zero_unless

REFUSED = 'gate_result="refused"'
# Refusals that an operator can do something about, as LockstepSessionsRefused has them.
OPERATORS = 'session_refusal_reason=~"limit|principal_limit|expired|contended"'
STORE = "lockstep_store_operation_duration_seconds"


def sessions():
    return [
        row("Sessions"),
        stat("Open", "Neither completed nor expired. Pods over one store show the same.",
             f"max({series('lockstep_sessions_active')})", "none", steps(QUIET)),
        stat("Started, 1 h", "New sessions.", f"sum(increase({series('lockstep_sessions_created_total')}[1h]))",
             "none", steps(QUIET), decimals=0),
        stat("Refused, 1 h", "Sessions that were not started or not served: limit, expired, contended. What agents are "
             "refused for their own mistakes is below.",
             zero_unless(f"increase({series('lockstep_sessions_refused_total', OPERATORS)}[1h])", series("lockstep_sessions_active")), "none",
             steps(GOOD, (1, BAD)), decimals=0, alert="LockstepSessionsRefused"),
        graph("Started and resumed, by workflow", "A start that finds a session of the same target resumes it.",
              [target(rate("lockstep_sessions_created_total", "", "workflow_name"), "started {{workflow_name}}"),
               target(rate("lockstep_sessions_resumed_total", "", "workflow_name"), "resumed {{workflow_name}}")],
              "ops", width=12, height=5),
        graph("Open sessions", "By pod.",
              [target(f"max by (instance) ({series('lockstep_sessions_active')})", "{{instance}}")], "none"),
        graph("Ended, by reason", "completed, expired or deleted.",
              [target(rate("lockstep_sessions_ended_total", "", "session_end_reason"), "{{session_end_reason}}")],
              "ops", stack=True),
        graph("Refused and swept", "Refused by reason; swept: removed for their age.",
              [target(rate("lockstep_sessions_refused_total", "", "session_refusal_reason"),
                      "refused {{session_refusal_reason}}"),
               target(rate("lockstep_sessions_swept_total"), "swept")], "ops",
              alert=["LockstepSessionsRefused", "LockstepExpiryFailing"]),
    ]


def phases():
    return [
        row("Phases and gates"),
        graph("Duration of phases, p50 and p90", "From opening a phase to its completion: agents' work, not ours.",
              [target(quantile(q, "lockstep_phase_duration_seconds", "", "workflow_name"),
                      f"{{{{workflow_name}}}} p{q * 100:g}") for q in (0.5, 0.9)], "s"),
        graph("Transitions", "Completed, rolled back, retried, by workflow.",
              [target(rate("lockstep_phase_transitions_total", "", "workflow_name, phase_transition"),
                      "{{workflow_name}} {{phase_transition}}")], "ops"),
        graph("Results of gates", "refused: the evidence is not enough. broken: the gate's own expression fails, which "
              "its author has to mend.",
              [target(rate("lockstep_gate_results_total", "", "workflow_name, gate_result"),
                      "{{workflow_name}} {{gate_result}}")], "ops"),
        heatmap("Judging a gate", "Time to judge evidence.", "lockstep_gate_duration_seconds"),
        graph("Refused evidence", "Of all judgements. High: agents do not know what the gate asks.",
              [target(f"({rate('lockstep_gate_results_total', REFUSED, 'workflow_name')}"
                      f" or 0 * {rate('lockstep_gate_results_total', '', 'workflow_name')})"
                      f" / {rate('lockstep_gate_results_total', '', 'workflow_name')}", "{{workflow_name}}")],
              "percentunit", width=12),
    ]


def store():
    return [
        row("The store"),
        graph("Operations, p50 and p99", "save and create last until the change is durable.",
              [target(quantile(q, STORE, "", "store_name, store_operation"),
                      f"{{{{store_name}}}} {{{{store_operation}}}} p{q * 100:g}") for q in (0.5, 0.99)], "s"),
        heatmap("Saves by duration", "A second band is a slow disk or a slow database.", STORE,
                'store_operation=~"save|create"', width=8),
        graph("Operations by outcome", "conflict: another writer was faster. error: the store failed.",
              [target(rate(f"{STORE}_count", "", "store_name, store_operation, store_outcome"),
                      "{{store_name}} {{store_operation}} {{store_outcome}}")], "ops", alert="LockstepStoreErrors"),
        graph("Conflicts and retries", "Changes that another writer overtook, and attempts that followed.",
              [target(rate("lockstep_store_conflicts_total", "", "store_name"), "conflicts {{store_name}}"),
               target(rate("lockstep_store_retries_total", "", "store_name"), "retries {{store_name}}")], "ops",
              alert="LockstepStoreConflicts"),
        graph("Turns of sessions: wait and hold, p99", "A turn lasts as long as one change, its write included.",
              [target(quantile(0.99, f"lockstep_lock_{what}_duration_seconds", 'lock_name="workflow.session"'), what)
               for what in ("wait", "hold")], "s", alert="LockstepLockContentionHigh"),
        graph("Waits for other processes, p99", "The lock `workflow.file`: only where processes share a directory.",
              [target(quantile(0.99, "lockstep_lock_wait_duration_seconds", 'lock_name="workflow.file"'), "p99")],
              "s"),
        graph("Failed operations in 10 minutes", "By store and operation. Flat at 0.",
              [target(increase(f"{STORE}_count", 'store_outcome="error"', "store_name, store_operation", "10m"),
                      "{{store_name}} {{store_operation}}")], "none", width=24, height=6,
              alert="LockstepStoreErrors"),
    ]


def page():
    return dashboard("sessions", "Sessions and workflows", "Sessions, phases, gates, and the store that keeps them.",
                     [*sessions(), *phases(), *store()])
