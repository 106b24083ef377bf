#!/usr/bin/env python3
"""Writes linguist.tsv from a checkout of github-linguist/linguist: linguist.py CHECKOUT [REVISION]

A line per language, its fields separated by tabs:

    L  name  extensions  file names  interpreters  aliases     (lists separated by spaces)

and, for extensions that several languages share, a line per rule, in the order in which rules are
tried; the language without patterns is the one that is left when no rule matches:

    R  extension  name  +pattern or -pattern ...               (all must agree)
"""
import pathlib, re, subprocess, sys, yaml

checkout, revision = sys.argv[1], (sys.argv[2:] or ["HEAD"])[0]
show = lambda path: subprocess.run(["git", "-C", checkout, "show", f"{revision}:{path}"], check=True, capture_output=True, text=True).stdout
languages = yaml.safe_load(show("lib/linguist/languages.yml"))
heuristics = yaml.safe_load(show("lib/linguist/heuristics.yml"))
popular = set(yaml.safe_load(show("lib/linguist/popular.yml")))

# What this program calls otherwise, and dialects that it parses as one language.
NAMES = {"C++": "cpp", "Objective-C++": "objective-cpp", "Shell": "bash", "JSON with Comments": "json", "Ecmarkup": "html",
         "GCC Machine Description": "lisp", "Rocq Prover": "coq"}
# Rules of our own, where Linguist's are too wide for a decision that no classifier follows:
# `<TS` is a type argument too, `@class` a command of doxygen, and a C++ header need not use the library.
CPP = ["named:cpp", r"^\s*(?:struct|class|union)\s+(?:\w+\s+)?\w+(?:\s+final)?\s*:\s*(?:public|private|protected|virtual|[A-Za-z_])",
       r"^\s*enum\s+(?:class|struct)\s+\w+", r"\)\s*(?:const\s*)?(?:noexcept\s*)?(?:override\s*|final\s*)?=\s*(?:delete|default|0)\s*;",
       r"^\s*(?:explicit|virtual|friend|mutable|constexpr|inline\s+namespace)\s", r"^\s*using\s+\w+\s*=",
       r"\boperator\s*(?:\(\)|\[\]|[-+*/%&|^<>=!~]+)\s*\(", r"\b(?:static|dynamic|reinterpret|const)_cast\s*<", r"\bnullptr\b",
       r"\bconst\s+[\w:]+(?:<[^;{}\n]*>)?\s*&\s*\w"]
RULES = {
    ".h": [("Objective-C", [r"^@(?:interface|protocol|implementation)\b|^#import\s"]), ("C++", CPP), ("C", [])],
    ".ts": [("XML", [r"\A\s*(?:<\?xml\s|<!DOCTYPE\s+TS|<TS[\s>])"]), ("TypeScript", [])],
    ".md": [("GCC Machine Description", [r"\A(?:\s*;;.*\n|\s*\n)*\(define_"]), ("Markdown", [])],
    ".rs": [("XML", [r"\A\s*<\?xml"]), ("RenderScript", [r"^#pragma\s+(?:rs|version)"]), ("Rust", [])],
    ".cs": [("Smalltalk", [r"![\w\s]+methodsFor: "]), ("C#", [])],
    ".php": [("Hack", [r"\A(?:#!.*\n)?<\?hh"]), ("PHP", [])],
    ".ex": [("Euphoria", [r"^\s*(?:public\s+)?include\s+\w+(?:/\w+)*\.e\b"]), ("Elixir", [])],
    ".sc": [("SuperCollider", [r"(?i:\^(this|super)\.|^\s*~\w+\s*=\.)"]), ("Scala", [])],
    ".hh": [("Hack", [r"<\?hh"]), ("C++", [])],
}
BEFORE = {".m": [("Objective-C", ["named:objectivec", r"^\s*#\s*(?:import|include)\b"])],
          ".v": [("Verilog", [r"^\s*(?:endmodule\b|module\s+\w+\s*;)"])]}
AFTER = {".m": [("MATLAB", [r"^\s*function\b|^\s*(?:end|clc|clear|hold on|close all)\s*;?\s*$|^\s*\w+\s*=\s*\["]), ("Objective-C", [])],
         ".v": [("Rocq Prover", [r"^\s*(?:Theorem|Lemma|Definition|Inductive|Fixpoint)\s"]), ("V", [r"^(?:pub\s+)?fn\s|^module\s+\w+\s*$"]), ("Verilog", [])],
         ".inc": [("C++", [r"^\s*#\s*(?:include|define|ifn?def|if|endif)\b"] + CPP), ("Text", [])]}

def pattern(text):
    text = text.replace("\\/", "/").replace("\\z", r"\z").replace("\\h", "[0-9a-fA-F]").replace("){)", r")\{)").replace("|{|", r"|\{|")
    if re.search(r"\(\?[=!<](?!\w+>)", text) or "\n" in text or "\t" in text:
        raise ValueError(f"looks around, or has several lines: {text}")
    return text

def patterns(value):
    values = value if isinstance(value, list) else [value]
    out = []
    for value in values:
        named = heuristics["named_patterns"][value[6:]] if value.startswith("named:") else value
        out += [pattern(text) for text in (named if isinstance(named, list) else [named])]
    return "|".join(f"(?:{text})" for text in out)

def conditions(rule):
    out = []
    for part in rule.get("and", [rule]):
        if "pattern" in part: out.append("+" + patterns(part["pattern"]))
        if "named_pattern" in part: out.append("+" + patterns("named:" + part["named_pattern"]))
        if "negative_pattern" in part: out.append("-" + patterns(part["negative_pattern"]))
    return out

def name(language):
    return NAMES.get(language) or language.lower().replace("++", "pp").replace("+", "-").replace("#", "sharp").replace(" ", "-").replace("'", "")

# Extensions of languages that are parsed here; but for those above, they are not shared.
sources = pathlib.Path(__file__).resolve().parent.parent.glob("src/languages/*.rs")
parsed = {"." + e for s in sources for l in re.findall(r"extensions: &\[([^\]]*)\]", s.read_text()) for e in re.findall(r'"([^"]+)"', l)}
parsed -= {*RULES, *BEFORE, *AFTER}

claims = {}
for language, facts in languages.items():
    extensions = facts.get("extensions", [])
    for extension in extensions:
        rank = (language not in popular, facts["type"] not in ("programming", "markup"), extensions[0] != extension, language)
        claims.setdefault(extension.lower(), []).append((rank, language))

rules = {extension: [("+" + patterns(p) if p else None, language) for language, p in value] for extension, value in RULES.items()}
lines = []
for entry in heuristics["disambiguations"]:
    for extension in entry["extensions"]:
        if extension.lower() in rules | {e: 0 for e in parsed} or len(claims.get(extension.lower(), [])) < 2: continue
        found = [("+" + patterns(p), language) for language, p in BEFORE.get(extension, [])]
        for rule in entry["rules"]:
            for language in rule["language"] if isinstance(rule["language"], list) else [rule["language"]]:
                try:
                    found.append(("\t".join(conditions(rule)) or None, language))
                except ValueError as error:
                    print(extension, language, error, file=sys.stderr)
        found += [("+" + patterns(p) if p else None, language) for language, p in AFTER.get(extension, [])]
        rules[extension.lower()] = found
for extension, found in sorted(rules.items()):
    if not any(condition is None for condition, _ in found):
        found.append((None, min(claims[extension])[1]))
    for condition, language in found:
        lines.append("\t".join(["R", extension[1:], name(language)] + ([condition] if condition else [])))

# Of an extension that several share and no rule decides, one language is in the list: the likeliest.
chosen = {extension: min(claims)[1] for extension, claims in claims.items()}
def shares(key):
    """The language of each word that several name: a popular one, or one of programming."""
    words = {}
    for language, facts in languages.items():
        for word in facts.get(key, []):
            words.setdefault(word, []).append((language not in popular, facts["type"] != "programming", language))
    return {word: min(found)[2] for word, found in words.items()}

owners = {key: shares(key) for key in ("filenames", "interpreters")}
table = []
for language, facts in sorted(languages.items()):
    words = lambda key: " ".join(word for word in facts.get(key, []) if " " not in word and owners[key][word] == language)
    extensions = " ".join(e[1:].lower() for e in facts.get("extensions", []) if chosen[e.lower()] == language and e.lower() not in rules)
    aliases = " ".join(sorted({language.lower().replace(" ", "-"), *(a.lower() for a in facts.get("aliases", []) if " " not in a)}))
    table.append("\t".join(["L", name(language), extensions, words("filenames"), words("interpreters"), aliases]))

version = show("lib/linguist/VERSION").strip()
with open(__file__.replace(".py", ".tsv"), "w") as out:
    out.write(f"# From github-linguist/linguist {version} (MIT, see linguist.LICENSE), by linguist.py. Do not edit.\n")
    out.write("\n".join(table + lines) + "\n")
