"""The table of checks."""

import sys


class Report:
    def __init__(self):
        self.rows = []

    def check(self, what, well, found):
        """Notes a check; says so at once."""
        self.rows.append((what, bool(well), str(found)))
        print(f"{'ok  ' if well else 'FAIL'}  {what:58} {found}", flush=True)
        return bool(well)

    def equal(self, what, expected, found):
        return self.check(what, expected == found, f"{found:g}" if expected == found else f"{found:g}, not {expected:g}")

    def none(self, what, found):
        """Checks that a list of faults is empty."""
        found = sorted(map(str, found))
        return self.check(what, not found, f"{len(found)}: {'; '.join(found[:80])}" if found else "none")

    def end(self):
        failed = sum(not well for _, well, _ in self.rows)
        print(f"\n{len(self.rows)} checks, {failed} failed")
        sys.exit(1 if failed else 0)
