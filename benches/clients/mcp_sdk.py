"""Asks an index as an agent does, with the official Python SDK of the Model Context Protocol.

    python mcp_sdk.py <gristmill program> <index folder> [<URL of a running server>]

Starts `gristmill mcp` on the index and speaks with it over standard input and output; with a URL
also over streamable HTTP. Over each it checks that

- the tools are listed, all but `index` are read-only, and they have input schemas;
- a search answers with text that begins with its epoch, and with structure;
- many calls at once are each answered;
- wrong input is an error of the tool, and an unknown tool one of the protocol.

Needs the package `mcp`: pip install mcp

Exit codes: 0 all is well; 1 a check failed; 3 the package is missing.
"""

import asyncio
import sys

try:
    import mcp
    from mcp import ClientSession, StdioServerParameters
    from mcp.client import streamable_http
    from mcp.client.stdio import stdio_client
except ImportError as error:
    print(f"the package `mcp` is missing ({error}): pip install mcp", file=sys.stderr)
    sys.exit(3)

# Version 2 of the SDK writes it with another name.
over_http = getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client


def plain(value):
    """A message of the SDK as it is on the wire, whatever the SDK calls its fields."""
    return value.model_dump(by_alias=True, mode="json", exclude_none=True)


def check(is_so, what):
    if not is_so:
        raise AssertionError(what)


async def converse(session):
    tools = {tool["name"]: tool for tool in plain(await session.list_tools())["tools"]}
    check({"search", "get_symbols", "get_files"} <= tools.keys(), f"tools are missing: {sorted(tools)}")
    for name, tool in tools.items():
        check(tool["inputSchema"]["type"] == "object", f"{name} has no input schema")
        # The only tool that writes.
        if name != "index":
            check("max_chars" in tool["inputSchema"]["properties"], f"{name} takes no `max_chars`")
            check(tool["annotations"]["readOnlyHint"], f"{name} is not read-only")
    check(not tools["index"]["annotations"]["readOnlyHint"], "`index` says that it is read-only")

    found = plain(await session.call_tool("search", {"query": "parse the configuration", "limit": 3}))
    text = found["content"][0]["text"]
    check(not found.get("isError"), f"the search failed: {text}")
    check(text.startswith("epoch "), f"the text does not begin with the epoch: {text[:80]}")
    hits = found["structuredContent"]["hits"]
    check(len(hits) == 3, f"{len(hits)} hits in place of 3")

    paths = [hit["path"] for hit in hits]
    questions = [session.call_tool("get_files", {"paths": [path], "max_chars": 1000}) for path in paths * 8]
    for path, answer in zip(paths * 8, await asyncio.gather(*questions), strict=True):
        answer = plain(answer)
        check(path in answer["content"][0]["text"], f"an answer about {path} is about something else")

    wrong = plain(await session.call_tool("search", {"query": "x", "limit": -1}))
    check(wrong.get("isError"), "a negative limit was taken")
    check(wrong["structuredContent"]["error"]["code"] == "bad_input", f"another error: {wrong}")
    try:
        await session.call_tool("no_such_tool", {})
    except Exception as error:
        check("unknown tool" in str(error), f"another error: {error}")
    else:
        raise AssertionError("an unknown tool was called")
    return len(tools)


async def over(name, transport):
    async with transport as streams, ClientSession(streams[0], streams[1]) as session:
        greeting = plain(await session.initialize())
        check(greeting["serverInfo"]["name"] == "gristmill", f"somebody else answers: {greeting}")
        tools = await converse(session)
    print(f"{name}: {tools} tools, protocol {greeting['protocolVersion']}")


async def newest(url):
    """With what the SDK takes by itself: since version 2 a protocol without a handshake."""
    async with mcp.Client(url) as client:
        tools = await converse(client)
    print(f"newest over HTTP: {tools} tools")


async def main(program, index, url=None):
    server = StdioServerParameters(command=program, args=["mcp", "--index", index])
    await over("standard input and output", stdio_client(server))
    if url:
        await over("streamable HTTP", over_http(f"{url}/mcp"))
        if hasattr(mcp, "Client"):
            await newest(f"{url}/mcp")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
