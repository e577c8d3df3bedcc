"""Draws the dashboards over a run, a picture each, in Grafana's places. Needs pictures-requirements.txt."""

import json
import math

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

import panels

COLUMNS, UNIT_HEIGHT, UNIT_WIDTH = 24, 0.42, 0.9
STEP = 1
BACK, INK = "#181b1f", "#ccccdc"
COLORS = {"green": "#1a7f4b", "orange": "#b4690e", "red": "#c4162a", "text": "#2a2e36", "transparent": BACK}


def draw(api, folder, seconds):
    folder.mkdir(parents=True, exist_ok=True)
    pyplot.rcParams.update({
        "figure.facecolor": "#111217", "axes.facecolor": BACK, "text.color": INK, "axes.labelcolor": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": "#444", "font.size": 7, "axes.titlesize": 8,
    })
    queries = panels.expressions(interval="10s", spanned=f"{math.ceil(seconds)}s")
    for file in sorted(panels.FOLDER.glob("*.json")):
        page = json.loads(file.read_text())
        height = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in page["panels"])
        figure = pyplot.figure(figsize=(COLUMNS * UNIT_WIDTH, height * UNIT_HEIGHT))
        for panel in page["panels"]:
            place = panel["gridPos"]
            box = [
                (place["x"] + 0.9) / COLUMNS, 1 - (place["y"] + place["h"] - 1.1) / height,
                (place["w"] - 1.2) / COLUMNS, max(place["h"] - 2.2, 0.4) / height,
            ]
            if panel["type"] == "row":
                figure.text(0.01, 1 - (place["y"] + 0.8) / height, panel["title"], fontsize=11, weight="bold")
                continue
            axes = figure.add_axes(box)
            axes.set_title(panel["title"], loc="left")
            found = {
                target["refId"]: (target, queries[f"{file.stem} / {panel['title']} [{target['refId']}]"])
                for target in panel.get("targets", [])
            }
            {"timeseries": lines, "heatmap": heat, "stat": number}.get(panel["type"], nothing)(
                axes, panel, api, found.values(), seconds
            )
        figure.savefig(folder / f"{file.stem}.png", dpi=80)
        pyplot.close(figure)


def legend(template, labels):
    for name, value in labels.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return "".join(part.split("}}", 1)[-1] for part in template.split("{{")).strip()


def shown(unit, value):
    if math.isnan(value):
        return "NaN"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"
    if unit == "bytes":
        return f"{value / 2**20:.3g} MiB" if value > 2**19 else f"{value / 1024:.3g} KiB"
    return f"{value:.4g}"


def lines(axes, panel, api, targets, seconds):
    defaults = panel["fieldConfig"]["defaults"]
    unit, stacked = defaults["unit"], defaults["custom"]["stacking"]["mode"] == "normal"
    curves = [
        (legend(target["legendFormat"], labels), [t for t, _ in points], [v for _, v in points])
        for target, expr in targets for labels, points in api.curve(expr, seconds, STEP)
    ]
    if stacked and curves:
        times = sorted({t for _, ts, _ in curves for t in ts})
        rows = [[dict(zip(ts, vs)).get(t, 0) for t in times] for _, ts, vs in curves]
        axes.stackplot(times, rows, labels=[f"{name}: {shown(unit, vs[-1])}" for name, _, vs in curves], alpha=0.6)
    else:
        for name, times, values in curves:
            axes.plot(times, values, linewidth=1, label=f"{name}: {shown(unit, values[-1])}")
    for step in defaults.get("thresholds", {}).get("steps", [])[1:]:
        axes.axhline(step["value"], color="#c4162a", linestyle="--", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xticks([])
    axes.yaxis.set_major_formatter(lambda value, _: shown(unit, value))
    if curves:
        axes.legend(loc="upper left", fontsize=5.5, framealpha=0.5, ncols=1 + len(curves) // 9)
    else:
        nothing(axes, panel, api, targets, seconds)


def heat(axes, panel, api, targets, seconds):
    (_, expr), = targets
    curves = sorted((float(labels["le"]), points) for labels, points in api.curve(expr, seconds, STEP))
    if not curves:
        return nothing(axes, panel, api, targets, seconds)
    times = sorted({t for _, points in curves for t, _ in points})
    cumulated = [[dict(points).get(t, 0) for t in times] for _, points in curves]
    rows = [cumulated[0]] + [[b - a for a, b in zip(below, above)] for below, above in zip(cumulated, cumulated[1:])]
    axes.imshow([[max(cell, 0) ** 0.5 for cell in row] for row in rows], aspect="auto", origin="lower", cmap="inferno")
    axes.set_yticks(range(len(curves)), [f"{le:g}" for le, _ in curves], fontsize=5)
    axes.set_xticks([])


def number(axes, panel, api, targets, seconds):
    (target, expr), = targets
    defaults = panel["fieldConfig"]["defaults"]
    found = [(legend(target["legendFormat"].replace("__auto", ""), labels), value) for labels, value in api.vector(expr)]
    worst = max((value for _, value in found), default=math.nan)
    color = [step["color"] for step in defaults["thresholds"]["steps"] if step["value"] is None or worst >= step["value"]]
    axes.set_facecolor(COLORS[color[-1]])
    text = "\n".join(f"{name} {shown(defaults['unit'], value)}".strip() for name, value in found) or defaults["noValue"]
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=16 if len(found) < 2 else 11, color="white")
    axes.set_xticks([]), axes.set_yticks([])


def nothing(axes, panel, api, targets, seconds):
    rows = [" ".join(f"{k}={v}" for k, v in labels.items() if k[0] != "_") for _, expr in targets
            for labels, _ in api.vector(expr)] if panel["type"] == "table" else []
    text = panel.get("options", {}).get("content") or "\n".join(rows) or "no data"
    axes.text(0.01, 0.9, text, va="top", fontsize=6, wrap=True)
    axes.set_xticks([]), axes.set_yticks([])
