"""Asks Prometheus."""

import json
import time
import urllib.parse

from processes import get


class Api:
    def __init__(self, url):
        self.url = url

    def ask(self, path, **arguments):
        return json.loads(get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments, doseq=True)}", 30))["data"]

    def vector(self, expr):
        """Returns the series of an expression now, as (labels, value)."""
        answer = self.ask("query", query=expr)
        if answer["resultType"] == "scalar":
            return [({}, float(answer["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in answer["result"]]

    def value(self, expr):
        """Returns the sum of what an expression gives; 0 if it gives nothing."""
        return sum(value for _, value in self.vector(expr))

    def curve(self, expr, seconds, step):
        """Returns the series of an expression over the last `seconds`, as (labels, [(time, value)])."""
        now = time.time()
        answer = self.ask("query_range", query=expr, start=now - seconds, end=now, step=step)
        return [(one["metric"], [(t, float(v)) for t, v in one["values"]]) for one in answer["result"]]

    def names(self, selector):
        return set(self.ask("label/__name__/values", **{"match[]": selector}))

    def firing(self):
        return {labels["alertname"] for labels, _ in self.vector('ALERTS{alertstate="firing"}')}

    def until(self, expr, wanted, seconds=20):
        """Waits until an expression has the wanted value; returns what it has in the end."""
        end = time.monotonic() + seconds
        while (found := self.value(expr)) != wanted and time.monotonic() < end:
            time.sleep(0.5)
        return found
