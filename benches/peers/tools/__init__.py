"""The tools to compare, behind one interface."""

import os
from pathlib import Path


class Tool:
    """A tool that indexes a folder and answers queries.

    `work` is a new folder for each turn: the corpus is in `work/source`, and everything that the tool
    writes goes to `work/index`. Subclasses add `program()`, the program that must exist; the commands
    `index(work)`, which builds the index or brings it up to date, and `query(work, text)`; and
    `count(work, run)`, the number of files and chunks. `run` runs a command and returns its output.
    """

    name = ""
    exit_codes = (0,)
    query_updates = False  # whether a query brings the index up to date itself

    def __init__(self, gristmill, folder, model):
        self.gristmill, self.folder, self.model = gristmill, Path(folder).absolute(), model

    def version(self, run):
        return run([self.program(), "--version"]).split()[-1]

    def environment(self, work):
        """Environment variables that keep a tool off the network and out of the user's own caches."""
        home = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "LANG": "C.UTF-8"}
        return home | {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "COCOINDEX_DISABLE_USAGE_TRACKING": "1"}
