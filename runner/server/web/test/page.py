"""Drives the page in a headless Chromium and checks what it shows.

    python3 -m venv /tmp/page && /tmp/page/bin/pip install playwright
    /tmp/page/bin/python runner/server/web/test/page.py --mock [--shots FOLDER]
    /tmp/page/bin/python runner/server/web/test/page.py http://127.0.0.1:7878 --query "read config" [--token SECRET]

With `--mock` it starts `mock.py` and asks that; else the server whose address is given, with
words that its index has. The browser is the system's own (`CHROMIUM`, or one of the usual
names): none is downloaded. Says so and ends with 3 where Chromium or `playwright` is missing;
ends with 1 when a check fails. Screenshots of each view, light, dark and narrow, go to the
folder of `--shots`.
"""

import argparse
import os
import pathlib
import shutil
import sys
from urllib.parse import quote, urlsplit

# The exit code where something that this needs is missing.
MISSING = 3
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Checks:
    """What held and what did not."""

    def __init__(self):
        self.failed = 0

    def __call__(self, holds, what, detail=""):
        print("ok    " if holds else "FAILED", what, "" if holds else detail, flush=True)
        self.failed += not holds


class Driver:
    """A tab, with all that it complained of and asked for."""

    def __init__(self, browser, url, shots, token, **settings):
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.url, self.shots = url, shots
        self.complaints, self.foreign = [], []
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # The stream of events never ends; all else does.
        self.open_requests = set()
        self.page.on("request", lambda request: "/v1/events" not in request.url and self.open_requests.add(request))
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda request: self.open_requests.discard(request))
        host = urlsplit(url).netloc
        self.page.on("request", lambda request: urlsplit(request.url).netloc != host and self.foreign.append(request.url))
        if token:
            self.page.add_init_script(f"sessionStorage.setItem('gristmill-token', {token!r})")

    def open(self, place, wait):
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#/{place}")
        self.wait(wait)
        self.settle()

    def wait(self, selector):
        return self.page.wait_for_selector(selector, timeout=20_000)

    def appears(self, selector):
        try:
            return bool(self.wait(selector))
        except Exception:
            return False

    def settle(self):
        """Waits until all is answered, also what is asked a moment after a key."""
        for _ in range(60):
            self.page.wait_for_timeout(200)
            if not self.open_requests:
                return

    def count(self, selector):
        return self.page.locator(selector).count()

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def here(self):
        return self.page.evaluate("location.hash")

    def shot(self, name, **how):
        if self.shots:
            self.page.wait_for_timeout(250)
            self.page.screenshot(path=str(self.shots / f"{name}.png"), **how)

    def fits(self):
        """Whether nothing sticks out to the right."""
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_search(tab, check, query):
    tab.open("search", "#query")
    tab.page.keyboard.type(query, delay=15)
    tab.wait(".hit")
    check(tab.page.evaluate("document.activeElement.id") == "query", "the box has the focus at once")
    check(tab.count(".hit") > 3, "a search gives hits")
    check(tab.count(".hit mark") > 3, "hits have what matches highlighted")
    marked = " ".join(tab.page.locator(".hit mark").all_inner_texts()).lower()
    check(any(word[:4].lower() in marked for word in query.split()), "highlights are words of the query", marked[:80])
    check(tab.count(".hit .code span.k, .hit .code span.s, .hit .code span.c") > 3, "code is coloured")
    check("epoch" in tab.text(".summary .meta") and " in " in tab.text(".summary .meta"), "time and epoch are shown")
    check(f"q={quote(query).replace('%20', '+')}" in tab.here(), "the query is in the address", tab.here())
    tab.page.wait_for_timeout(400)
    check(tab.count(".facet") > 2, "languages and kinds can be chosen")
    tab.shot("search")
    check(all_numbers_match(tab), "line numbers of a snippet lie within its hit")


def all_numbers_match(tab):
    return tab.page.evaluate("""[...document.querySelectorAll('.hit')].every((hit) => {
      const [, from, to] = /:(\\d+)–(\\d+)$/.exec(hit.querySelector('.place').textContent);
      return [...hit.querySelectorAll('.no')].every((no) => +from <= +no.dataset.no && +no.dataset.no <= +to);
    })""")


def check_filters(tab, check, query):
    before = tab.page.locator(".hit .place").all_inner_texts()
    facet = tab.page.locator(".facet").filter(has=tab.page.locator(".here:not(:empty)")).first
    name = facet.locator(".name").inner_text()
    facet.locator("input").check()
    tab.page.wait_for_function("() => location.hash.includes('lang=') || location.hash.includes('kind=')")
    tab.settle()
    check(name in tab.here(), "a facet goes into the address", tab.here())
    tab.page.locator(".facet input:checked").first.uncheck()
    tab.settle()
    tab.page.wait_for_timeout(300)
    check(tab.page.locator(".hit .place").all_inner_texts() == before, "and out of it again, with the same hits")
    tab.page.locator("[name=mode][value=regex]").check(force=True)
    tab.page.fill("#query", "(unclosed")
    tab.wait(".strip.bad")
    check(tab.count(".hit") == 0 and "bad_input" in tab.text(".strip.bad"), "a malformed expression is told")
    tab.shot("error")
    tab.page.fill("#query", query.split()[0])
    tab.wait(".hit mark")
    tab.page.locator("[name=mode][value=hybrid]").check(force=True)
    tab.page.fill("#query", query)
    tab.page.wait_for_function("() => !location.hash.includes('mode=')")
    tab.settle()


def check_stale(tab, check, query):
    """Answers that come late are of no question any more."""
    def late(route):
        if '"slowpoke"' in (route.request.post_data or ""):
            tab.page.wait_for_timeout(700)
        route.continue_()

    tab.page.route("**/v1/ask", late)
    tab.page.fill("#query", "slowpoke")
    tab.page.wait_for_timeout(200)
    tab.page.fill("#query", query)
    tab.wait(".hit mark")
    tab.page.wait_for_timeout(1000)
    check(tab.count(".hit mark") > 3, "a late answer does not replace a newer one")
    tab.page.unroute("**/v1/ask")


def check_keys(tab, check):
    page = tab.page
    page.locator("#query").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    check(page.evaluate("[...document.querySelectorAll('.hit')].findIndex((hit) => hit.matches('.at'))") == 1, "keys move through the hits")
    page.keyboard.press("k")
    check(page.evaluate("document.querySelector('.hit.at') === document.querySelector('.hit')"), "and back")
    page.keyboard.press("j")
    page.keyboard.press("e")
    tab.wait(".signals")
    check(tab.count(".signals dd") > 3, "the ranking is explained")
    page.wait_for_timeout(100)
    tab.shot("explain")
    page.keyboard.press("e")
    page.wait_for_timeout(100)
    page.locator(".hit .place").nth(1).focus()
    place = page.locator(".hit.at .place").inner_text()
    page.keyboard.press("Enter")
    tab.wait(".file .line.at")
    check(place.split(":")[0].split("/")[-1] in tab.text(".crumbs"), "Enter opens the file", place)
    page.keyboard.press("Escape")
    tab.wait(".hit.at")
    check(page.locator(".hit.at .place").inner_text() == place, "Esc goes back to the same hit")
    page.keyboard.press("?")
    tab.wait("#help[open]")
    tab.shot("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.wait_for_timeout(100)
    check(page.evaluate("document.activeElement.id") == "query", "/ goes to the box")


def with_symbol(tab):
    """Name and path of a hit that is a definition, of a function if there is one."""
    hits = tab.page.evaluate("""[...document.querySelectorAll('.hit')].map((hit) => {
      const { symbol, path } = hit.querySelector('[data-item]').dataset;
      return [hit.querySelector('header > .kind').textContent, symbol, path];
    }).filter(([, symbol]) => symbol)""")
    return next((hit[1:] for hit in hits if hit[0] in ("function", "method")), hits[0][1:])


def check_file(tab, check, path):
    tab.open(f"file/{quote(path)}?lines=3-5", ".file .line.at")
    check(tab.count(".file .line.at") == 3, "the lines of the address are marked")
    check(tab.count(".outline a") > 0, "a file has an outline")
    check(tab.appears(".file .code .k, .file .code .s"), "its code is coloured")
    tab.page.locator(".outline a").last.click()
    tab.page.wait_for_timeout(300)
    check(tab.page.locator(".file .line.at").first.is_visible(), "the outline leads to lines")
    name = tab.page.locator(".file .line.at .f, .file .line.at .t, .file .line.at .i").first
    word = name.inner_text()
    name.click()
    tab.wait(".side .panel .use, .side .panel .quiet-text")
    check(word == tab.text(".side .panel h2"), "a click on a name tells of it")
    tab.settle()
    tab.shot("file")
    tab.page.reload()
    tab.wait(".side .panel .use, .side .panel .quiet-text")
    check(word == tab.text(".side .panel h2"), "and so does the address alone")
    tab.page.evaluate("location.hash = '#/files/'")
    tab.wait(".entries tbody tr")
    tab.page.go_back()
    check(tab.appears(".side .panel .use, .side .panel .quiet-text"), "and the way back")


def check_symbol(tab, check, name, path):
    tab.open(f"symbol/{quote(name, safe='')}?path={quote(path)}", "article .lists")
    check(tab.count("article .code .line") > 1, "a symbol shows its definition")
    check("Called by" in tab.text(".lists"), "and who calls it")
    tab.shot("symbol")


def check_graph(tab, check, name, path):
    tab.open(f"graph/{quote(name, safe='')}?path={quote(path)}&depth=2&relation=uses", ".canvas svg .node")
    check(tab.count(".node") > 2 and tab.count(".canvas .link") > 1, "a graph has nodes and edges", f"{tab.count('.node')} {tab.count('.link')}")
    check(tab.count(".node.centre") >= 1, "and a centre")
    overlap = tab.page.evaluate("""(() => {
      const boxes = [...document.querySelectorAll('.node rect')].map((box) => box.getBoundingClientRect());
      return boxes.some((a, nth) => boxes.slice(nth + 1).some((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1));
    })()""")
    check(not overlap, "no node lies on another")
    cut = tab.page.evaluate("[...document.querySelectorAll('.node')].some((node) => [...node.querySelectorAll('text')].some((text) => text.getBBox().width > node.querySelector('rect').getBBox().width - 8))")
    check(not cut, "labels fit their nodes")
    tab.shot("graph")
    edges = tab.count(".as-list tbody tr")
    check(edges >= tab.count(".canvas > svg .link"), "the list has all edges")
    before = tab.page.locator(".canvas > svg").get_attribute("viewBox")
    tab.page.get_by_role("button", name="Zoom in").click()
    check(tab.page.locator(".canvas > svg").get_attribute("viewBox") != before, "the graph can be zoomed")
    other = tab.page.locator(".node:not(.centre)").first
    title = other.get_attribute("data-symbol")
    other.focus()
    tab.page.keyboard.press("Enter")
    tab.settle()
    check(not title or quote(title, safe="") in tab.here() or title in tab.here(), "Enter makes a node the centre", f"{title} {tab.here()}")


def check_index(tab, check, is_mock):
    tab.open("index", ".figures div")
    tab.wait(".plot .point")
    check(tab.count(".plot .bar, .plot .dot") > 0, "run history is plotted")
    check(tab.count(".plot text") > 4, "with labels")
    tab.page.locator(".plot .point").last.hover()
    check("run " in tab.text(".tip-box:not([hidden])"), "and tells of a run under the pointer")
    check(tab.count(".epochs > li") > 0, "epochs are listed")
    if is_mock:
        tab.wait(".stage")
        drawn = "() => document.querySelector('.stage polyline')?.getAttribute('points').split(' ').length > 5"
        tab.page.wait_for_function(drawn, timeout=40_000)
        check(tab.count(".stage") == 7, "a running index shows its stages")
        check("/s" in tab.text(".stage .figures-of"), "with rates")
    tab.page.locator(".epochs summary").first.click()
    check(tab.appears(".epochs [open] li"), "with what each changed")
    tab.settle()
    tab.page.evaluate("scrollTo(0, 0)")
    tab.shot("index", full_page=True)


def check_colours(tab, check):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    seen = []
    for _ in range(3):
        seen.append((tab.page.evaluate("document.documentElement.dataset.theme"), tab.page.evaluate(ground)))
        tab.page.click("#theme")
    seen = dict(seen)
    check(set(seen) == {"auto", "light", "dark"} and seen["light"] != seen["dark"], "colours can be switched", seen)
    return seen


CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgb = (colour, under) => { canvas.fillStyle = under ?? '#fff'; canvas.fillRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const light = (colour) => { const [r, g, b] = colour.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const bad = new Map();
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.getClientRects().length || element.closest('.unseen, dialog, svg')) continue;
    let under = element;
    while (under && getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(under ? getComputedStyle(under).backgroundColor : '#fff'))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.set(element.className || element.tagName, ratio.toFixed(2));
  }
  return Object.fromEntries(bad);
})()"""


def check_places(tab, check):
    """What only the mock is known to have: notes, two jobs, older epochs."""
    tab.open("search?q=offline+commit", ".hit")
    check("lexical_only" in tab.text(".strip"), "notes of an answer are shown")
    tab.shot("note")
    tab.page.select_option("#job", "docs")
    tab.page.wait_for_function("() => location.hash.includes('job=docs')")
    tab.settle()
    places = tab.page.locator(".hit .place b").all_inner_texts()
    check(places and all(place.endswith(".md") for place in places), "another job can be asked the same", places[:3])
    tab.page.go_back()
    tab.page.wait_for_function("() => !location.hash.includes('job=docs')")
    check(tab.page.input_value("#job") == "gristmill" and tab.page.input_value("#query") == "offline commit", "and the back button leads back")
    tab.open("search?q=commit&epoch=5", ".hit")
    check("epoch 5" in tab.text("#epoch") and "epoch 5" in tab.text(".summary .meta"), "an older epoch can be asked")
    tab.page.click("#epoch")
    tab.page.wait_for_function("() => !location.hash.includes('epoch=')")
    tab.settle()
    check("epoch 7" in tab.text(".summary .meta"), "and left again")
    tab.open("search?q=!internal", ".strip.bad")
    check("internal" in tab.text(".strip.bad"), "an error of a tool is told")
    tab.open("file/no/such/file.rs", ".strip.bad")
    check("no/such/file.rs" in tab.text(".strip.bad"), "and so is a file that is not there")
    tab.open("graph/best_lines?depth=2", ".node")
    sides = tab.page.evaluate("new Set([...document.querySelectorAll('.node')].map((node) => Math.sign(parseFloat(node.getAttribute('transform').slice(10))))).size")
    check(sides == 3, "callers stand on the left, callees on the right", sides)
    tab.shot("graph-sides")


def check_token(browser, url, check, shots):
    tab = Driver(browser, url, shots, None)
    tab.page.goto(f"{url}/#/search?q=epoch")
    tab.wait("#token[open]")
    check(True, "a server with tokens makes the page ask for one")
    tab.shot("token")
    tab.page.fill("#token-text", "letmein")
    tab.page.keyboard.press("Enter")
    tab.wait(".hit")
    check(tab.page.evaluate("sessionStorage.getItem('gristmill-token')") == "letmein", "and keep it for the tab")
    tab.context.close()


def everything(browser, url, arguments, check):
    shots = arguments.shots
    tab = Driver(browser, url, shots, arguments.token, viewport={"width": 1280, "height": 860}, color_scheme="light")
    check_search(tab, check, arguments.query)
    name, path = with_symbol(tab)
    check_filters(tab, check, arguments.query)
    check_stale(tab, check, arguments.query)
    check_keys(tab, check)
    check_file(tab, check, path)
    check_symbol(tab, check, name, path)
    check_graph(tab, check, name, path)
    tab.open("files/", ".entries tbody tr")
    check(tab.count(".entries tbody tr") > 1, "folders can be looked into")
    tab.shot("files")
    check_index(tab, check, arguments.mock)
    check_colours(tab, check)
    if arguments.mock:
        check_places(tab, check)
    views = [("search", f"search?q={quote(arguments.query)}&at=2", ".hit"), ("file", f"file/{quote(path)}?lines=12", ".file .line"),
             ("symbol", f"symbol/{quote(name, safe='')}?path={quote(path)}", "article .lists"),
             ("graph", f"graph/{quote(name, safe='')}?path={quote(path)}&relation=uses", ".node"), ("index", "index", ".plot .point")]
    for view, place, ready in views:
        tab.open(place, ready)
        low = tab.page.evaluate(CONTRAST)
        check(not low, f"{view}: light contrast is AA", low)
    tab.context.close()
    dark = Driver(browser, url, shots, arguments.token, viewport={"width": 1280, "height": 860}, color_scheme="dark")
    for view, place, ready in views:
        dark.open(place, ready)
        dark.shot(f"{view}-dark")
        low = dark.page.evaluate(CONTRAST)
        check(not low, f"{view}: dark contrast is AA", low)
    dark.context.close()
    narrow = Driver(browser, url, shots, arguments.token, viewport={"width": 360, "height": 740}, color_scheme="light", reduced_motion="reduce", has_touch=True)
    for view, place, ready in [*views, ("files", "files/", ".entries tbody tr")]:
        narrow.open(place, ready)
        narrow.shot(f"{view}-360")
        check(narrow.fits(), f"{view}: fits into 360 px", narrow.page.evaluate("document.documentElement.scrollWidth"))
    narrow.context.close()
    tabs = (tab, dark, narrow)
    complaints = [text for each in tabs for text in each.complaints]
    check(not complaints, "no errors in the console", complaints[:5])
    foreign = [address for each in tabs for address in each.foreign if not address.startswith("about:")]
    check(not foreign, "nothing is asked of another host", foreign[:5])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("url", nargs="?")
    arguments.add_argument("--mock", action="store_true")
    arguments.add_argument("--query", default="commit record of an epoch")
    arguments.add_argument("--token")
    arguments.add_argument("--shots", type=pathlib.Path)
    given = arguments.parse_args()
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("the Python package playwright is missing: python3 -m pip install playwright (without its browsers)", file=sys.stderr)
        return MISSING
    if not executable:
        print("there is no Chromium; CHROMIUM can name one", file=sys.stderr)
        return MISSING
    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    check = Checks()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        if given.mock:
            sys.dont_write_bytecode = True
            import mock
            everything(browser, mock.start().url, given, check)
            check_token(browser, mock.start(token="letmein").url, check, given.shots)
        else:
            everything(browser, given.url.rstrip("/"), given, check)
        browser.close()
    print(f"{check.failed} checks failed" if check.failed else "all checks hold")
    return int(check.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
