"""Does search answer, from what, and where does its time go?"""

from grafana import BAD, GOOD, QUIET, WARN, dashboard, graph, heatmap, increase, quantile, rate, row, series, stat, steps
from grafana import target, zero_unless

STAGES = "lockstep_search_stage_duration_seconds"
RESULTS = "lockstep_search_results"
TOTAL = 'search_stage="total"'
SEARCHING = 'component=~"search|vectors"'
FAILED = 'search_rebuild_result="failed"'
EMPTY = 'le=~"0|0.0"'  # As OTLP and as a scrape write it.


def page():
    return dashboard("search", "Search", "Stages, results, the standards' generation, and the model's queue.", [
        row("Is it well?"),
        stat("Not ready", "Pods whose search or vectors are not ready.",
             f"sum(1 - {series('lockstep_ready', SEARCHING)})",
             "none", steps(GOOD, (1, BAD)), alert="LockstepNotReady"),
        stat("Cold searches", "Searches that no cache answered, a second.", rate(f"{STAGES}_count", TOTAL), "reqps",
             steps(QUIET)),
        stat("p99 of cold searches", "99 of 100 searches that ask the model end within this time.",
             quantile(0.99, STAGES, TOTAL), "s", steps(GOOD, (0.25, WARN), (0.5, BAD)),
             alert="LockstepColdLatencyBudgetBurn"),
        stat("Without vector now", "Of all pods: found by their words only.",
             f"max({series('lockstep_search_vectors_missing')})", "none", steps(GOOD, (1, WARN)),
             alert="LockstepVectorsMissing"),
        stat("Failed rebuilds, 1 h", "The standards could not be read again.",
             zero_unless(f"increase({series('lockstep_search_rebuilds_total', FAILED)}[1h])", series("lockstep_search_generation")), "none", steps(GOOD, (1, BAD)), decimals=0,
             alert=["LockstepRebuildFailed", "LockstepGenerationOld"]),
        stat("Questions refused, 1 h", "Too many waited for the model.",
             zero_unless(f"increase({series('lockstep_search_queue_refused_total')}[1h])", series("lockstep_search_queue_depth")),
             "none", steps(GOOD, (1, BAD)),
             decimals=0, alert="LockstepSearchQueueRefused"),
        row("Where the time goes"),
        graph("Stages, p95", "queue: for a thread of the model. embed: the model. vectors and keywords: the two "
              "indexes. fusion: joining both. rerank: a cross encoder, if one is set.",
              [target(quantile(0.95, STAGES, 'search_stage!="total"', "search_stage"), "{{search_stage}}")], "s",
              width=12, alert="LockstepColdLatencyBudgetBurn"),
        heatmap("Cold searches by duration", "One band is normal.", STAGES, TOTAL),
        graph("Queue for the model", "Questions and passages that wait, by pod.",
              [target(f"sum by (instance) ({series('lockstep_search_queue_depth')})", "{{instance}}")], "none",
              alert="LockstepSearchQueueRefused"),
        graph("Refused by the queue", "Questions a second that were turned away.",
              [target(rate("lockstep_search_queue_refused_total", "", "instance"), "{{instance}}")], "reqps",
              alert="LockstepSearchQueueRefused"),
        graph("Waits for the model, p99", "The lock `search.model`: of those that waited for a free thread.",
              [target(quantile(0.99, "lockstep_lock_wait_duration_seconds", 'lock_name="search.model"'), "p99")], "s"),
        row("What is found"),
        graph("Searches by method", "hybrid, or keyword while vectors are being made.",
              [target(rate(f"{RESULTS}_count", "", "search_method"), "{{search_method}}")], "reqps", stack=True),
        graph("Passages an answer", "Mean, by method.",
              [target(f"{rate(f'{RESULTS}_sum', '', 'search_method')} / {rate(f'{RESULTS}_count', '', 'search_method')}",
                      "{{search_method}}")], "none"),
        graph("Answers without a passage", "Nothing was found: filters too narrow, or no standards.",
              [target(f"{rate(f'{RESULTS}_bucket', EMPTY)} / {rate(f'{RESULTS}_count')}",
                      "empty")], "percentunit"),
        row("The standards"),
        graph("Generation", "Grows by one with each change that was read, in each pod for itself.",
              [target(f"max by (instance) ({series('lockstep_search_generation')})", "{{instance}}")], "none"),
        graph("Age of the generation", "Since the standards that answer were read.",
              [target(f"max by (instance) ({series('lockstep_search_generation_age_seconds')})", "{{instance}}")], "s",
              alert="LockstepGenerationOld"),
        graph("Rebuilds in 10 minutes", "By result.",
              [target(increase("lockstep_search_rebuilds_total", "", "search_rebuild_result", "10m"),
                      "{{search_rebuild_result}}")], "none", alert="LockstepRebuildFailed"),
        graph("Duration of rebuilds, p99", "From noticing a change to answering from it.",
              [target(quantile(0.99, "lockstep_search_rebuild_duration_seconds", "", "instance"), "{{instance}}")],
              "s"),
        graph("Passages", "In the index of each pod. Pods over the same standards show the same.",
              [target(f"max by (instance) ({series('lockstep_search_chunks')})", "{{instance}}")], "none"),
        graph("Passages without vector", "Falls to 0 after a start or a change.",
              [target(f"max by (instance) ({series('lockstep_search_vectors_missing')})", "{{instance}}")], "none",
              alert="LockstepVectorsMissing"),
    ])
