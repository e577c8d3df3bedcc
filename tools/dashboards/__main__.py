"""Writes charts/lockstep/dashboards/*.json.

python3 tools/dashboards           writes them
python3 tools/dashboards --check   exits with 1 if they are not what this would write
"""
import json
import pathlib
import sys

import caches_and_locks
import overview
import rollout
import search
import sessions

FOLDER = pathlib.Path(__file__).parents[2] / "charts/lockstep/dashboards"
PAGES = [overview, caches_and_locks, search, sessions, rollout]


def main():
    wrong = []
    for page in PAGES:
        made = page.page()
        file = FOLDER / f"{made['uid'].removeprefix('lockstep-')}.json"
        text = json.dumps(made, indent=2) + "\n"
        if "--check" not in sys.argv[1:]:
            FOLDER.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            wrong.append(file.name)
    if wrong:
        sys.exit(f"not what tools/dashboards writes, run it: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
