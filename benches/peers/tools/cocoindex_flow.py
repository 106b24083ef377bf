#!/usr/bin/env python3
"""Indexes a folder with CocoIndex into LanceDB, and searches the table.

usage: cocoindex_flow.py index SOURCE INDEX MODEL
       cocoindex_flow.py search INDEX MODEL QUERY
       cocoindex_flow.py count INDEX

The flow follows CocoIndex's own example of code embedding: walk, split by syntax, embed, one row per
chunk. The engine skips files that have not changed. The table has a vector column and a full-text index.
`count` prints the number of files and chunks.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

TABLE = "chunks"
CHUNK_BYTES = 1000  # the values of CocoIndex's example
MIN_CHUNK_BYTES = 300
OVERLAP_BYTES = 300
MAX_FILE_BYTES = 1_000_000
LIMIT = 10

os.environ["COCOINDEX_DISABLE_USAGE_TRACKING"] = "1"  # the default reports every run to a server
os.environ["HF_HUB_OFFLINE"] = "1"


def load_model(folder):
    from model2vec import StaticModel

    return StaticModel.from_pretrained(folder)


def index(source, folder, model_folder):
    """Brings the index up to date with the source."""
    import cocoindex as coco
    import numpy as np
    from cocoindex.connectors import lancedb, localfs
    from cocoindex.ops.text import RecursiveSplitter, detect_code_language
    from cocoindex.resources.file import PatternFilePathMatcher
    from cocoindex.resources.id import IdGenerator
    from cocoindex.resources.schema import VectorSchema
    from numpy.typing import NDArray

    @dataclass
    class Row:
        id: int
        path: str
        start_line: int
        end_line: int
        text: str
        vector: NDArray[np.float32]

    os.environ["COCOINDEX_DB"] = os.path.join(folder, "state")
    database = coco.ContextKey("database")
    splitter = RecursiveSplitter()
    model = load_model(model_folder)

    @coco.lifespan
    async def environment(builder):
        builder.provide(database, await lancedb.connect_async(os.path.join(folder, "lance")))
        yield

    @coco.fn(memo=True)
    async def index_file(file, table):
        content = await file.read()
        if b"\0" in content or len(content) > MAX_FILE_BYTES:
            return
        text = content.decode(errors="replace")
        path = file.file_path.path.as_posix()
        language = detect_code_language(filename=path)
        chunks = splitter.split(
            text, CHUNK_BYTES, min_chunk_size=MIN_CHUNK_BYTES, chunk_overlap=OVERLAP_BYTES, language=language
        )
        if not chunks:
            return
        ids = IdGenerator()
        for chunk, vector in zip(chunks, model.encode([chunk.text for chunk in chunks])):
            number = await ids.next_id(chunk.text)
            table.declare_row(row=Row(number, path, chunk.start.line, chunk.end.line, chunk.text, vector))

    @coco.fn
    async def index_folder(root):
        schema = await lancedb.TableSchema.from_class(
            Row, primary_key=["id"], column_specs={"vector": VectorSchema(np.dtype(np.float32), model.dim)}
        )
        table = await lancedb.mount_table_target(database, TABLE, schema)
        table.declare_fts_index(column="text")
        files = localfs.walk_dir(root, recursive=True, path_matcher=PatternFilePathMatcher(excluded_patterns=["**/.*"]))
        await coco.mount_each(index_file, files.items(), table)

    asyncio.run(update(coco.App("peers", index_folder, Path(source))))


async def update(app):
    handle = app.update()
    await handle
    if errors := handle.stats().total.num_errors:
        sys.exit(f"{errors} files could not be indexed")


async def search(folder, model_folder, query):
    """Prints the best chunks by vector and full-text scores, fused by LanceDB."""
    import lancedb

    vector = load_model(model_folder).encode([query])[0]
    database = await lancedb.connect_async(os.path.join(folder, "lance"))
    table = await database.open_table(TABLE)
    for row in await table.query().nearest_to(vector).nearest_to_text(query).limit(LIMIT).to_list():
        print(f"{row['path']}:{row['start_line']}-{row['end_line']}\n{row['text']}\n")


async def count(folder):
    import lancedb

    database = await lancedb.connect_async(os.path.join(folder, "lance"))
    table = await database.open_table(TABLE)
    paths = (await table.query().select(["path"]).to_arrow())["path"]
    print(len(paths.unique()), len(paths))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "index":
        index(*arguments)
    else:
        asyncio.run({"search": search, "count": count}[command](*arguments))
