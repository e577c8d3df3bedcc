"""Traces, as the Collector wrote them."""

import collections


def received(collector):
    """Returns all spans by trace."""
    traces = collections.defaultdict(list)
    for request in collector.received("traces"):
        for resource in request["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    traces[span["traceId"]].append(span)
    return traces


def attributes(span):
    return {one["key"]: next(iter(one["value"].values()), None) for one in span.get("attributes", [])}


def whole(report, traces, tallies):
    """Each request sent is one whole tree under the caller's span."""
    sent = {trace: about for tally in tallies for trace, about in tally.traces.items()}
    lost, broken, unnamed = [], [], []
    for trace, (caller, method, name) in sent.items():
        spans = traces.get(trace)
        if not spans:
            lost.append(trace)
            continue
        ids = {span["spanId"] for span in spans}
        tops = [span for span in spans if span.get("parentSpanId") == caller]
        strays = [span["name"] for span in spans if span.get("parentSpanId") not in ids | {caller}]
        if len(tops) != 1 or strays:
            broken.append(f"{method} {name}: {len(tops)} tops, strays {strays[:3]}")
        if f"{method} {name}".strip() not in {span["name"] for span in spans}:
            unnamed.append(f"{method} {name}: {sorted({span['name'] for span in spans})}")
    report.none(f"requests without a trace, of {len(sent)}", lost)
    report.none("traces that are no whole tree under the caller's span", broken)
    report.none("traces without a span of the operation's name", unnamed)


def linked(report, traces):
    """Waits lead to whoever caused them. Everybody is recorded here, so a holder that is not known
    is that of a file, a permit or a place in a queue."""
    everybody = [span for spans in traces.values() for span in spans]
    everything = {span["spanId"] for span in everybody}
    nobody = {"workflow.file", "search.cache", "search.index", "search.model", "search.first_snapshot"}
    told = collections.Counter(
        (attributes(span).get("lock.holder"), attributes(span)["lock.name"] in nobody)
        for span in everybody if span["name"] == "lock.wait"
    )
    wrong = set(told) - {("linked", False), ("unknown", True)}
    report.none("lock.wait spans that tell a wrong holder", {(*case, told[case]) for case in wrong})
    kinds = {
        "lock.wait": lambda span: attributes(span).get("lock.holder") == "linked",
        "coalesced cache.lookup": lambda span: attributes(span).get("cache.outcome") == "coalesced",
    }
    for kind, waited in kinds.items():
        waits = [span for span in everybody if waited(span)]
        linking = [span for span in waits if span.get("links")]
        astray = [link["spanId"] for span in linking for link in span["links"] if link["spanId"] not in everything]
        report.check(f"{kind} spans that link to a span that is there", len(linking) == len(waits) > 0 and not astray,
                     f"{len(linking)} of {len(waits)}, {len(astray)} astray")


def bare(report, traces):
    """No content reaches a span: neither what was asked nor what was handed in."""
    told = [
        f"{span['name']}: {key}" for spans in traces.values() for span in spans
        for key, value in attributes(span).items()
        if isinstance(value, str) and ("what has the team" in value or "standards://" in value or "own/" in value)
    ]
    report.none("spans that repeat a question or a path", set(told))
