from pathlib import Path

from . import Tool

FLOW = Path(__file__).with_name("cocoindex_flow.py")


class CocoIndex(Tool):
    name = "CocoIndex + LanceDB"

    def program(self):
        return self.folder / "bin/cocoindex"

    def version(self, run):
        code = "from importlib.metadata import version as v; print(v('cocoindex'), '+', v('lancedb'))"
        return run([self.folder / "bin/python", "-c", code]).strip()

    def flow(self, *arguments):
        return [self.folder / "bin/python", FLOW, *arguments]

    def index(self, work):
        return self.flow("index", work / "source", work / "index", self.model)

    def query(self, work, text):
        return self.flow("search", work / "index", self.model, text)

    def count(self, work, run):
        return tuple(map(int, run(self.flow("count", work / "index")).split()))
