import json

from . import Tool


class Semble(Tool):
    name = "semble"
    query_updates = True

    def program(self):
        return self.folder / "bin/semble"

    def environment(self, work):
        variables = {"SEMBLE_MODEL_NAME": str(self.model), "SEMBLE_CACHE_LOCATION": str(work / "index")}
        return super().environment(work) | variables

    def index(self, work):
        return self.query(work, "index")  # there is no command that only indexes

    def query(self, work, text):
        return [self.program(), "search", text, work / "source", "-k", "10", "--content", "all"]

    def count(self, work, run):
        (folder,) = (work / "index").glob("*/index*")
        files = json.loads((folder / "metadata.json").read_text())["files"]
        return len(files), len(json.loads((folder / "chunks.json").read_text()))
