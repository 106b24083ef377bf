import re

from . import Tool


class Gristmill(Tool):
    name = "gristmill"
    exit_codes = (0, 3)  # 3: success, with quarantined files

    def program(self):
        return self.gristmill

    def index(self, work):
        return [self.gristmill, "run", "--source", work / "source", "--index", work / "index", "--quiet"]

    def query(self, work, text):
        return [self.gristmill, "search", "--index", work / "index", text]

    def count(self, work, run):
        status = run([self.gristmill, "status", "--index", work / "index"])
        counts = (re.search(rf"([\d,]+) {noun}", status)[1] for noun in ("files", "chunks"))
        return tuple(int(count.replace(",", "")) for count in counts)
