"""What a dashboard is made of, in the classic JSON that Grafana 10 to 13 and the sidecar take."""

# The job is `namespace/workload`, or the workload alone where the service has no namespace.
SELECT = 'job=~"(?:$namespace/)?$workload",lockstep_track=~"$track"'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24

GOOD, WARN, BAD, QUIET = "green", "orange", "red", "text"


def series(metric, labels=""):
    """Selects the metric of the chosen workloads."""
    return f"{metric}{{{SELECT}{',' if labels else ''}{labels}}}"


def rate(metric, labels="", by=""):
    return f"sum by ({by}) (rate({series(metric, labels)}[$__rate_interval]))"


def increase(metric, labels="", by="", window="$__range"):
    return f"sum by ({by}) (increase({series(metric, labels)}[{window}]))"


def quantile(q, metric, labels="", by=""):
    by = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{metric}_bucket', labels, by)})"


def zero_unless(expr, alive):
    """Sums what begins with the first event: 0 before, but nothing if the service is not heard at all."""
    return f"sum({expr}) or 0 * sum({alive})"


def target(expr, legend="", **more):
    return {"expr": expr, "legendFormat": legend or "__auto", "datasource": SOURCE, **more}


def steps(*limits):
    """Colours by value: `steps(GOOD, (0.05, BAD))`."""
    first, *rest = limits
    found = [{"color": first, "value": None}]
    return found + [{"color": color, "value": value} for value, color in rest]


def panel(kind, title, description, targets, unit, width, height, alert=None, **more):
    """One panel. Without a place: `dashboard` gives it one."""
    targets = [{**one, "refId": chr(ord("A") + place)} for place, one in enumerate(targets)]
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": targets,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": {"unit": unit, **more.pop("defaults", {})}, "overrides": []},
        "options": more.pop("options", {}),
    }
    if alert:
        names = [alert] if isinstance(alert, str) else alert
        # Where runbooks are published, the chart makes links of these; everywhere, agents find them by name.
        made["runbooks"] = names
        made["description"] += f" Ask `search_standards` what to do about {' or '.join(names)}."
    return made | more


def graph(title, description, targets, unit, *, width=8, height=8, limit=None, stack=False, alert=None, top=None):
    """Lines over time; `limit` draws a line that should not be crossed."""
    custom = {"lineWidth": 1, "fillOpacity": 25 if stack else 8, "showPoints": "never", "spanNulls": False}
    custom["stacking"] = {"mode": "normal" if stack else "none"}
    defaults = {"custom": custom, "min": 0}
    if top is not None:
        defaults["max"] = top
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["thresholds"] = {"mode": "absolute", "steps": steps("transparent", (limit, BAD))}
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "sortBy": "Max",
                   "sortDesc": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, targets, unit, width, height, alert, defaults=defaults,
                 options=options)


def stat(title, description, expr, unit, colors, *, width=4, height=5, legend="", alert=None, decimals=None):
    """One large number whose background says whether it is well."""
    if unit in ("s", "percentunit"):
        expr = f"({expr}) >= 0"  # Without traffic there is no ratio: no data, instead of a green NaN.
    defaults = {"thresholds": {"mode": "absolute", "steps": colors}, "noValue": "no data"}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {"colorMode": "background", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]},
               "textMode": "auto"}
    return panel("stat", title, description, [target(expr, legend)], unit, width, height, alert, defaults=defaults,
                 options=options)


def heatmap(title, description, metric, labels="", *, width=12, height=8, alert=None):
    """How many observations fell into which bucket, over time."""
    expr = f"sum by (le) (increase({series(f'{metric}_bucket', labels)}[$__rate_interval]))"
    options = {
        "calculate": False,
        "yAxis": {"unit": "s", "axisPlacement": "left"},
        "color": {"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64},
        "cellGap": 1,
        "filterValues": {"le": 0.5},
        "tooltip": {"mode": "single", "yHistogram": True},
        "legend": {"show": True},
    }
    return panel("heatmap", title, description, [target(expr, "{{le}}", format="heatmap")], "s", width, height, alert,
                 options=options)


def table(title, description, expr, hidden, *, width=12, height=6):
    """The labels of series, one a row."""
    shown = {"excludeByName": {name: True for name in ("Time", "Value", *hidden)}}
    return panel("table", title, description, [target(expr, format="table", instant=True)], "none", width, height,
                 transformations=[{"id": "organize", "options": shown}])


def text(title, content, *, width=24, height=5):
    return {"type": "text", "title": title, "gridPos": {"w": width, "h": height},
            "options": {"mode": "markdown", "content": content}}


def row(title):
    return {"type": "row", "title": title, "gridPos": {"w": COLUMNS, "h": 1}, "collapsed": False, "panels": []}


def placed(panels):
    """Puts panels from left to right, and below where a row is full."""
    x = y = height = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > COLUMNS:
            x, y, height = 0, y + height, 0
        one["id"] = number
        place.update(x=x, y=y)
        x, height = x + place["w"], max(height, place["h"])
    return panels


def variable(name, label, regex, **more):
    found = {"type": "query", "name": name, "label": label, "datasource": SOURCE, "refresh": 2, "sort": 1,
             "multi": True, "includeAll": True, "allValue": ".*", "regex": regex,
             "current": {"text": ["All"], "value": ["$__all"]}}
    return found | more


def dashboard(name, title, description, panels):
    """A whole dashboard, whose address `name` never changes."""
    jobs = {"query": {"query": "label_values(lockstep_build_info, job)", "refId": "jobs"}}
    tracks = {"query": {"query": "label_values(lockstep_build_info, lockstep_track)", "refId": "tracks"}}
    return {
        "uid": f"lockstep-{name}",
        "title": f"Lockstep / {title}",
        "description": description,
        "tags": ["lockstep"],
        "schemaVersion": 41,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["lockstep"], "title": "Lockstep", "asDropdown": False,
                   "keepTime": True, "includeVars": True}],
        "annotations": {"list": [{
            "name": "Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red",
            "expr": 'ALERTS{alertname=~"Lockstep.+",alertstate="firing"}', "titleFormat": "{{alertname}}",
        }]},
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "current": {}},
            variable("namespace", "Namespace", r"/(.+)\//", **jobs),
            variable("workload", "Workload", r"/(?:.+\/)?(.+)/", **jobs),
            variable("track", "Track", "", **tracks),
        ]},
        "panels": placed(panels),
    }
