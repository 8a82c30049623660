"""Several processes of `make test` share one list of tests: each takes the next stretch that none of them has taken.

They collect the same tests in the same order. What stands together of one module is a stretch: its fixtures are made
once. $SHARED is the folder in which they write down what they take. Without it a process runs everything.
"""

import hashlib
import os
from itertools import groupby
from pathlib import Path

FOLDER = os.environ.pop("SHARED", "")  # taken out: a pytest that a test starts shares nothing


class Stretches:
    """What of one list of tests this process runs: `here(item)`, asked in the list's order."""

    def __init__(self, folder: str, among: str, items: list) -> None:
        self.folder = Path(folder)
        self.name_of: dict[str, str] = {}
        for _, together in groupby(items, key=lambda item: item.path):
            stretch = list(together)
            name = hashlib.sha256(f"{among} {stretch[0].nodeid}".encode()).hexdigest()[:20]
            self.name_of.update({item.nodeid: name for item in stretch})
        self.ours: dict[str, bool] = {}

    def here(self, item) -> bool:
        """True where it is for this process: it came to this stretch first."""
        name = self.name_of[item.nodeid]
        if name not in self.ours:
            self.ours[name] = self._take(name)
        return self.ours[name]

    def _take(self, name: str) -> bool:
        try:
            (self.folder / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
