import json

from . import Tool


class Trouve(Tool):
    name = "trouve-search"
    query_updates = True

    def program(self):
        return self.folder / "bin/trouve-search"

    def environment(self, work):
        variables = {"TROUVE_MODEL_NAME": str(self.model), "TROUVE_CACHE_LOCATION": str(work / "index")}
        return super().environment(work) | variables

    def index(self, work):
        return [self.program(), "stats", work / "source", "--content", "all"]

    def query(self, work, text):
        return [self.program(), "search", text, work / "source", "-k", "10", "--content", "all"]

    def count(self, work, run):
        stats = json.loads(run(self.index(work)))
        return stats["indexed_files"], stats["total_chunks"]
