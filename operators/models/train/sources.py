"""Which source trees are read, and what is kept out of them."""

import fnmatch
import pathlib
import re
import tomllib

HERE = pathlib.Path(__file__).parent


class Exclusions:
    """The rules of excluded.txt."""

    def __init__(self):
        lines = (HERE / "excluded.txt").read_text().splitlines()
        rules = [line.strip().lower() for line in lines if line.strip() and not line.startswith("#")]
        self.folders = [rule[:-1] for rule in rules if rule.endswith("/")]
        self.names = [rule for rule in rules if not rule.endswith("/")]

    def name(self, name):
        """Whether a repository or package of this name is excluded; its owner does not count."""
        last = name.lower().rsplit("/", 1)[-1]
        return any(fnmatch.fnmatchcase(last, rule) for rule in self.names)

    def path(self, path):
        """Whether a file of a tree is excluded."""
        *folders, file = path.lower().split("/")
        return any(fnmatch.fnmatchcase(folder, rule) for folder in folders for rule in self.folders) or any(
            fnmatch.fnmatchcase(file, rule) for rule in self.names if "." in rule
        )


def repositories(mirror):
    """The bare clones that repositories.txt names, as (repository, package, folder, revision)."""
    for line in (HERE / "repositories.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, revision = line.split()
            yield name, name, pathlib.Path(mirror) / name.replace("/", "+") / "repo", revision


def crates(registry):
    """The unpacked crates of a cargo registry, as (repository, package, folder, None).

    Crates of one repository share its name, so that a split by repository keeps them together.
    """
    for manifest in sorted(pathlib.Path(registry).glob("*/Cargo.toml")):
        try:
            package = tomllib.loads(manifest.read_text())["package"]
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError):
            continue
        address = str(package.get("repository") or package["name"])
        path = re.sub(r"^\w+://[^/]+/|\.git$", "", address.rstrip("/"))
        yield "/".join(path.split("/")[:2]), package["name"], manifest.parent, None
