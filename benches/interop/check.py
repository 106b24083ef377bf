"""Checks that an index can be read by tools of the Lance and Arrow world.

    python check.py <index folder>

Opens the newest committed epoch and checks, for each sink that stores Lance tables:

- every table has, at the version that the commit names, the rows that the commit names,
  for Lance itself and for DuckDB or Polars over Arrow;
- every column says what it holds;
- for some chunks, the nearest neighbours that LanceDB finds are those that numpy finds
  by brute force.

Needs numpy, lancedb and pylance, and polars or duckdb:

    pip install numpy lancedb pylance polars duckdb

Exit codes: 0 all is well; 1 a check failed; 2 the folder is no index; 3 a package is
missing.
"""

import importlib
import json
import pathlib
import sys

QUERIES = 20
NEIGHBOURS = 10
# Distances of float32 vectors, summed in different orders.
TOLERANCE = 1e-4


def package(name, purpose):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pip = {"lance": "pylance"}.get(name, name)
        print(f"the package `{name}` is missing ({error}); it {purpose}: pip install {pip}", file=sys.stderr)
        sys.exit(3)


def first_package(names):
    for name in names:
        try:
            return name, importlib.import_module(name)
        except ImportError:
            pass
    print(f"none of the packages {', '.join(names)} is there: pip install {names[0]}", file=sys.stderr)
    sys.exit(3)


def committed_tokens(index):
    """The epoch that HEAD names, and the token of each sink."""
    try:
        epoch = int((index / "HEAD").read_text().split()[0])
        record = json.loads((index / "commits" / f"{epoch}.json").read_text())
        return epoch, record["tokens"]
    except (OSError, ValueError, KeyError) as error:
        print(f"{index} is no index with a committed epoch: {error!r}", file=sys.stderr)
        sys.exit(2)


def lance_stores(index, tokens):
    """The folder and token of each sink whose token names versions of tables."""
    for name, token in tokens.items():
        if isinstance(token, dict) and all(isinstance(table, dict) and "version" in table for table in token.values()):
            yield name, index / name, token


class Checks:
    def __init__(self):
        self.failed = 0

    def check(self, what, good, detail=""):
        print(f"{'ok    ' if good else 'FAILED'} {what}{': ' + detail if detail and not good else ''}")
        self.failed += not good


def count_rows(reader_name, reader, table):
    """Rows of an Arrow table, as another tool counts them."""
    if reader_name == "duckdb":
        return reader.connect().register("rows", table).execute("select count(*) from rows").fetchone()[0]
    return reader.from_arrow(table).height


def check_tables(checks, name, folder, token):
    lance = package("lance", "reads Lance tables")
    reader_name, reader = first_package(["polars", "duckdb"])
    for table, state in token.items():
        dataset = lance.dataset(str(folder / f"{table}.lance"), version=state["version"])
        rows = dataset.count_rows()
        checks.check(f"{name}/{table}: {state['rows']} rows at version {state['version']}", rows == state["rows"], f"{rows}")
        column = dataset.schema.names[0]
        rows = count_rows(reader_name, reader, dataset.to_table(columns=[column]))
        checks.check(f"{name}/{table}: {reader_name} counts as many", rows == state["rows"], f"{rows}")
        bare = [field.name for field in dataset.schema if b"description" not in (field.metadata or {})]
        checks.check(f"{name}/{table}: every column is described", not bare, ", ".join(bare))


def check_neighbours(checks, name, folder, token):
    numpy = package("numpy", "computes distances")
    lancedb = package("lancedb", "searches vectors")
    table = lancedb.connect(str(folder)).open_table("chunks")
    table.checkout(token["chunks"]["version"])
    if "vector" not in table.schema.names:
        print(f"       {name}/chunks has no vectors")
        return
    columns = table.to_lance().to_table(columns=["chunk_id", "vector"]) if hasattr(table, "to_lance") else table.to_arrow()
    ids = numpy.array(columns["chunk_id"].to_pylist())
    vectors = columns["vector"].combine_chunks().flatten().to_numpy().reshape(len(ids), -1).astype("float64")
    checks.check(f"{name}/chunks: chunk_id is a key", len(set(ids)) == len(ids))
    place = {chunk: row for row, chunk in enumerate(ids)}
    wrong = []
    for row in numpy.linspace(0, len(ids) - 1, min(QUERIES, len(ids))).astype(int):
        distances = ((vectors - vectors[row]) ** 2).sum(axis=1)
        nearest = numpy.sort(distances)[:NEIGHBOURS]
        hits = table.search(vectors[row].astype("float32").tolist()).distance_type("l2").limit(NEIGHBOURS).to_list()
        # Compared by distance, since rows of equal distance may come in any order.
        found = numpy.array([distances[place[hit["chunk_id"]]] for hit in hits])
        if len(found) != len(nearest) or not numpy.allclose(found, nearest, rtol=TOLERANCE, atol=TOLERANCE):
            wrong.append(str(ids[row]))
    checks.check(f"{name}/chunks: LanceDB finds the nearest neighbours of {min(QUERIES, len(ids))} rows", not wrong, ", ".join(wrong))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    index = pathlib.Path(sys.argv[1])
    epoch, tokens = committed_tokens(index)
    print(f"epoch {epoch} of {index}")
    checks = Checks()
    stores = list(lance_stores(index, tokens))
    checks.check("the commit names a Lance store", bool(stores), ", ".join(tokens))
    for name, folder, token in stores:
        check_tables(checks, name, folder, token)
        if token.get("chunks", {}).get("rows"):
            check_neighbours(checks, name, folder, token)
    print(f"{checks.failed} checks failed" if checks.failed else "all is well")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
