"""A second retrieval set, mined from histories: what a commit says, and which files it changed.

    python3 benches/mine_commits.py REPOSITORIES OUT

REPOSITORIES holds the clones, each under the name that `SOURCES` below gives it (bare ones
suffice; `<owner>+<name>/repo` is found too). OUT becomes an annotation set with `repos/`, links
to the clones, beside it:

    gristmill eval OUT --repos OUT/repos

Of each repository one revision is pinned and indexed. The queries are the subjects of the
first commits after it that

- change one to three source files, all of which the revision holds under the same path, and
  add, delete or rename no source file (tests, documents and other files may change beside them);
- say what they do in four words or more, once prefixes (`fix:`, `net/http:`), numbers of issues
  and trailers are gone;
- do not only tidy: bumps, releases, reverts, formatting and the like name no place.

A commit often changes more than what its subject names, and a subject often suits files that it
did not change. So figures on this set are lower than on annotated ones, and it is for telling
rankings apart, not for saying how good one is. Nothing here depends on the clock, on chance or
on the clones beyond the listed commits, but a clone whose head moved on gives the same
set only as long as its history is kept.
"""

import json
import pathlib
import re
import subprocess
import sys

PER_REPOSITORY = 16

# Name, language, endings of source files, pinned revision.
SOURCES = [
    ("gohugoio/hugo", "go", [".go"], "dd6e2c87241d5b5f3bd581c1bd7d3ae282f7bc62"),
    ("nats-io/nats-server", "go", [".go"], "47382b1ee49a0dec1c1d8785d54790b39b7a3289"),
    ("BurntSushi/ripgrep", "rust", [".rs"], "cbc598f245f3c157a872b69102653e2e349b6d92"),
    ("actix/actix-web", "rust", [".rs"], "3f9d88f85933cd9c60f9e22ca3830fb5099de530"),
    ("celery/celery", "python", [".py"], "6d8bfd1d1d3031e8c198a834a3a7bcddb7266620"),
    ("scrapy/scrapy", "python", [".py"], "8d82e7bd273188a9635c41dd0f93ab2221c3d6ba"),
    ("fastify/fastify", "javascript", [".js"], "c3cd648461e958f48177d440936f37eca886649d"),
    ("inversify/InversifyJS", "typescript", [".ts"], "6ef0ddf76093e97fd3d302c16905daa5c418db9c"),
    ("typeorm/typeorm", "typescript", [".ts"], "5904ac3db21d928e858cd7a6e5f4448fc44256d1"),
    ("StackExchange/StackExchange.Redis", "csharp", [".cs"], "2cb97afe6df2f038430bdccceb55762c2193eedc"),
    ("jekyll/jekyll", "ruby", [".rb"], "ed952e1ca055e1902339da62928b0532a99494ba"),
    ("puma/puma", "ruby", [".rb", ".c"], "97c7d129a940c809fb379b3ecf314d39a18a332b"),
    ("google/guice", "java", [".java"], "e23d3b4369fbacfd7f077022c4dead4030e15f22"),
    ("jhy/jsoup", "java", [".java"], "bd155b859e8ea19e0a2b15bcfe21032237e867b4"),
    ("square/okhttp", "kotlin", [".kt"], "06a88ad51f60e21ec91926cd0f85904d7d703a42"),
    ("composer/composer", "php", [".php"], "811011ecc38320ccccedb237b46480ca5c417ffa"),
    ("gabime/spdlog", "cpp", [".h", ".cpp"], "3c93f7690a184847a277a1c40704aa1ee17dcba4"),
    ("apple/swift-nio", "swift", [".swift"], "70439feacdb37f37ce8fc08800baecde9de41067"),
    ("LuaLS/lua-language-server", "lua", [".lua"], "32fec3cc99af8b9a1e45c2455a8c3bd0d3e38f66"),
    ("elixir-mint/mint", "elixir", [".ex"], "0d15d72d738307a795d5b3b1b3cb4af23dd12698"),
    ("jaspervdj/hakyll", "haskell", [".hs"], "d5f60d0535aa6ce271b9a04327678b012b3fb397"),
    ("zigzap/zap", "zig", [".zig"], "081bd05a5bac7a42f88209050ac484763a31d438"),
    ("jqlang/jq", "c", [".c", ".h"], "b9e19de76e6e19d044007ead65d164710dc98877"),
    ("memcached/memcached", "c", [".c", ".h"], "750a7d1e6d2ba1ffc992efdc95285900f8bb83c4"),
    ("dokku/dokku", "bash", [".sh", "functions", "internal-functions"], "8d0c35f1333cadb2d2e107ce3c97becea34673e8"),
]

TIDYING = re.compile(
    r"\b(typos?|spelling|lint\w*|clippy|rubocop|eslint|prettier|phpstan|warnings?|bump\w*|releas\w+|version"
    r"|changelog|copyright|licen[cs]e|whitespace|format\w*|merge\w*|revert\w*|upgrad\w+|dependenc\w+|deps|ci"
    r"|workflows?|tests?|specs?|docs?|documentation|readme|comments?|nit|nits|cleanup|clean ?up|style"
    r"|refactor\w*|renam\w+|moderni[sz]e)\b",
    re.IGNORECASE,
)
PREFIX = re.compile(r"^(\[[^\]]*\]|\([\d.]+\)|[\w./,*()!\- ]{0,40}:(?=\s)|#\d+)\s*")
ISSUES = re.compile(r"\s*[(\[]?(?:(?:fix(?:es)?|close[sd]?|see|refs?|gh|ticket)[\s:]*)?#\d+[)\]]?\.?|\s*\(GH-\d+\)", re.IGNORECASE)
SECONDARY = re.compile(
    r"(^|[/._-])(tests?|testing|specs?|testdata|docs?|examples?|samples?|bench(es|marks?)?|fixtures?|vendor"
    r"|third_party|deprecated|mocks?)([/._-]|$)|Tests?\.\w+$|Tests?/",
    re.IGNORECASE,
)


def git(clone, *words):
    """What a git command prints."""
    return subprocess.run(
        ["git", "-C", str(clone), *words], check=True, capture_output=True, text=True, errors="replace"
    ).stdout


def clone_of(folder, name):
    """Where the clone of `owner/name` lies."""
    short = name.rsplit("/", 1)[1]
    for candidate in (folder / short, folder / name, folder / name.replace("/", "+") / "repo"):
        if candidate.is_dir():
            return candidate
    sys.exit(f"{folder} has no clone of {name}")


def words_of(subject):
    """A subject without what surrounds its words; nothing where it only tidies."""
    subject = ISSUES.sub("", subject)
    while (bare := PREFIX.sub("", subject)) != subject:
        subject = bare
    subject = subject.strip().rstrip(".")
    return "" if TIDYING.search(subject) or len(subject.split()) < 4 else subject


def is_source(path, endings):
    """Whether a path is of a source file, rather than of a test, a document or an example."""
    return path.endswith(tuple(endings)) and not SECONDARY.search(path)


def queries_after(clone, revision, endings):
    """The queries that the first commits after a revision give."""
    held = set(git(clone, "ls-tree", "-r", "--name-only", revision).splitlines())
    log = git(
        clone, "log", "--reverse", "--no-merges", "--no-renames", "--ancestry-path", "--name-status",
        "--format=%x01%s", f"{revision}..HEAD",
    )
    asked = set()
    for entry in log.split("\x01")[1:]:
        subject, *lines = entry.splitlines()
        changes = [line.split("\t", 1) for line in lines if "\t" in line]
        sources = [(status, path) for status, path in changes if is_source(path, endings)]
        query = words_of(subject)
        fits = 1 <= len(sources) <= 3 and all(status == "M" and path in held for status, path in sources)
        if query and fits and query.lower() not in asked:
            asked.add(query.lower())
            paths = [path for _, path in sources]
            yield {"query": query, "relevant": paths, "secondary": [], "category": "commit"}
            if len(asked) == PER_REPOSITORY:
                return


def write(path, value):
    """Writes JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def main():
    """Writes the set."""
    folder, out = map(pathlib.Path, sys.argv[1:])
    repositories = []
    for name, language, endings, revision in SOURCES:
        clone, short = clone_of(folder, name), name.rsplit("/", 1)[1]
        write(out / "annotations" / f"{short}.json", list(queries_after(clone, revision, endings)))
        url = f"https://github.com/{name}.git"
        repositories.append({"name": short, "language": language, "url": url, "revision": revision})
        link = out / "repos" / short
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(clone.resolve())
    write(out / "repos.json", repositories)


if __name__ == "__main__":
    main()
