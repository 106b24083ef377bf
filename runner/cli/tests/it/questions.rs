//! Questions as people and agents write them: names, filters, exact searches and text.

use serde_json::Value;

use crate::world::{World, text};

/// The notes and the answer of a tool.
fn ask(world: &World, args: &[&str]) -> (Vec<String>, Value) {
    let (tool, args) = args.split_first().unwrap();
    // Names may look like flags.
    let output = world.command(&[tool, "--json", "--index", "index"]).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    let mut answered: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = answered["notes"].as_array().into_iter().flatten();
    let notes = notes.map(|note| note["message"].as_str().unwrap().to_owned()).collect();
    (notes, answered["answer"].take())
}

/// The distinct values of a key of all objects in an array, in order.
fn each(values: &Value, key: &str) -> Vec<String> {
    let mut each: Vec<String> =
        values.as_array().unwrap().iter().map(|value| value[key].as_str().unwrap().to_owned()).collect();
    each.sort();
    each.dedup();
    each
}

fn hits(world: &World, args: &[&str]) -> Vec<String> {
    each(&ask(world, &[&["search", "-k", "1000"], args].concat()).1["hits"], "path")
}

/// The paths and lines of the hits, in order.
fn lines(world: &World, args: &[&str]) -> Vec<String> {
    let answer = ask(world, &[&["search"], args].concat()).1;
    let hits = answer["hits"].as_array().unwrap().iter();
    hits.map(|hit| format!("{}:{}", hit["path"].as_str().unwrap(), hit["snippet"]["start_line"])).collect()
}

#[test]
fn filters_are_understood_as_they_are_written() {
    let world = World::new();
    world.write("src/api/pour.py", "def pour_grain():\n    return 1\n");
    world.write("src/mill.cpp", "int pour_grain(int a) { return a; }\n");
    world.write("test/api/test_pour.py", "def pour_grain_twice():\n    pour_grain()\n");
    world.write("app/[id]/(auth)/page.tsx", "export function pour_grain() { return 1 }\n");
    world.write("app/i/page.tsx", "export function pour_grain() { return 2 }\n");
    world.write("{{name}}/run.sh", "pour_grain() { echo 1; }\n");
    world.write("cafe\u{301}/a.py", "def pour_grain():\n    return 3\n");
    world.run(&[]);
    let absolute = world.source().join("src/api").display().to_string();
    let page = "app/[id]/(auth)/page.tsx";
    for (path, expected) in [
        ("src", vec!["src/api/pour.py", "src/mill.cpp"]),
        ("./src/", vec!["src/api/pour.py", "src/mill.cpp"]),
        ("src/**", vec!["src/api/pour.py", "src/mill.cpp"]),
        ("src/*", vec!["src/mill.cpp"]),
        ("src//api/.", vec!["src/api/pour.py"]),
        ("src\\api", vec!["src/api/pour.py"]),
        (&absolute, vec!["src/api/pour.py"]),
        ("/home/elsewhere/src/api/pour.py", vec!["src/api/pour.py"]),
        ("api", vec!["src/api/pour.py", "test/api/test_pour.py"]),
        ("*/api", vec!["src/api/pour.py", "test/api/test_pour.py"]),
        ("pour.py", vec!["src/api/pour.py"]),
        ("api/pour.py", vec!["src/api/pour.py"]),
        ("app/[id]", vec![page]),
        ("app/[id]/**/*.tsx", vec![page]),
        ("[id]", vec![page]),
        ("(auth)", vec![page]),
        ("app/[a-j]/*.tsx", vec!["app/i/page.tsx"]),
        ("{{name}}/", vec!["{{name}}/run.sh"]),
        ("*.{cpp,sh}", vec!["src/mill.cpp", "{{name}}/run.sh"]),
        ("caf\u{e9}", vec!["cafe\u{301}/a.py"]),
        ("caf\u{e9}/*.py", vec!["cafe\u{301}/a.py"]),
    ] {
        for mode in ["text", "regex"] {
            assert_eq!(hits(&world, &["pour_grain", "--mode", mode, "--path", path]), expected, "{mode} {path}");
        }
        let symbols = ask(&world, &["get-symbols", "--path", path]).1;
        assert_eq!(each(&symbols["symbols"], "path"), expected, "get-symbols {path}");
        let files = ask(&world, &["aggregate", "--path", path]).1["total"]["files"].clone();
        assert_eq!(files, expected.len(), "aggregate {path}");
    }
    for (args, part) in [
        (["--path", "scr"], "did you mean `src`?"),
        (["--path", "src/api/puor.py"], "did you mean `src/api/pour.py`?"),
        (["--language", "pyhton"], "did you mean `python`?"),
        (["--language", "rust"], "no file of the index is in the language `rust`"),
        (["--kind", "fucntion"], "did you mean `function`?"),
        (["--kind", "trait"], "no chunk of the index has the kind `trait`"),
    ] {
        let (notes, answer) = ask(&world, &[&["search", "pour_grain", "--mode", "text"], &args[..]].concat());
        assert!(notes.iter().any(|note| note.contains(part)), "{args:?}: {notes:?}");
        assert_eq!(answer["hits"].as_array().map(Vec::len), Some(0), "{args:?}");
    }
    let both = ["aggregate", "--path", "src", "--language", "tsx"];
    assert!(ask(&world, &both).0.iter().any(|note| note.contains("both")), "{:?}", ask(&world, &both).0);
    for (language, expected) in
        [("Python", "src/api/pour.py"), ("py", "src/api/pour.py"), ("C++", "src/mill.cpp"), (".cpp", "src/mill.cpp")]
    {
        assert_eq!(hits(&world, &["pour_grain", "--path", "src", "--language", language]), [expected], "{language}");
        let files = ask(&world, &["aggregate", "--path", "src", "--language", language]).1["total"]["files"].clone();
        assert_eq!(files, 1, "{language}");
    }
    assert_eq!(hits(&world, &["pour_grain", "--language", "Shell", "--mode", "regex"]), ["{{name}}/run.sh"]);
    for kind in ["Function", "func", "functions", "DEF"] {
        let found = ask(&world, &["get-symbols", "--kind", kind]).1;
        assert_eq!(found["symbols"].as_array().map(Vec::len), Some(7), "{kind}");
    }
    // Paths that name one file or folder.
    let read = |path: &str| ask(&world, &["get-files", path]);
    for path in ["./src/mill.cpp", &world.source().join("src/mill.cpp").display().to_string(), "src\\mill.cpp"] {
        assert_eq!(each(&read(path).1["files"], "path"), ["src/mill.cpp"], "{path}");
    }
    assert_eq!(each(&read("caf\u{e9}/a.py").1["files"], "path"), ["cafe\u{301}/a.py"]);
    assert!(read("mil.cpp").0.iter().any(|note| note.contains("did you mean `src/mill.cpp`?")));
    assert!(read("src").0.iter().any(|note| note.contains("is a folder")));
    for folder in ["app/[id]/", &world.source().join("app/[id]").display().to_string()] {
        assert_eq!(ask(&world, &["list-preview", folder]).1["path"], "app/[id]");
    }
    let change = ask(&world, &["simulate", "./src/"]).1;
    assert_eq!(change["change"]["files"], 2, "{change:#}");
}

#[test]
fn definitions_are_found_by_every_name_they_are_listed_under() {
    let world = World::new();
    world.write(
        "v.cpp",
        "struct Vec {\n  Vec operator/(int d) const { return *this; }\n  Vec& operator/=(int d) { return *this; }\n  \
         Vec* operator->() { return this; }\n  ~Vec() {}\n};\n",
    );
    world.write("r.rb", "class Ratio\n  def /(other) = 1\n  def empty? = true\n  def [](i) = i\nend\n");
    world.write("s.ex", "defmodule My.App.Silo do\n  def full?(x), do: x\nend\n");
    world.write("u.php", "<?php\nnamespace App\\Models;\nclass User { public function getName() { return 1; } }\n");
    world.write("O.hs", "module Data.Grain.Ops where\na <.> b = a * b\na // b = a - b\n");
    world.write("d.md", "# Node.js 20.x / C++\n\ntext\n\n## foo::bar()\n\ntext\n");
    world.write("n.py", "def cafe\u{301}():\n    return 1\n\ndef parse_config():\n    return 2\n");
    world.run(&[]);
    let (_, all) = ask(&world, &["get-symbols", "-k", "1000"]);
    let all = all["symbols"].as_array().unwrap();
    assert!(all.len() > 14, "{all:#?}");
    for symbol in all {
        for key in ["name", "qualified_name"] {
            let name = symbol[key].as_str().unwrap();
            let (notes, found) = ask(&world, &["get-symbols", "-k", "1000", "--", name]);
            assert_eq!(notes, [""; 0], "{name}");
            assert!(found["symbols"].as_array().unwrap().contains(symbol), "{name}: {found:#}");
        }
    }
    let qualified = |name: &str| each(&ask(&world, &["get-symbols", "--", name]).1["symbols"], "qualified_name");
    for (name, expected) in [
        ("Vec.operator/=", "Vec::operator/="),
        ("App\\Models", "App\\Models"),
        ("My.App.Silo.full?", "My.App.Silo.full?"),
        ("Silo", "My.App.Silo"),
        ("Ratio#empty?", "Ratio.empty?"),
        ("caf\u{e9}", "cafe\u{301}"),
        ("`parse_config`", "parse_config"),
        ("parse_config()", "parse_config"),
        ("def parse_config():", "parse_config"),
        ("PARSE_CONFIG", "parse_config"),
    ] {
        assert_eq!(qualified(name), [expected], "{name}");
        let found = ask(&world, &["goto-definition", "--", name]).1;
        assert_eq!(each(&found["definitions"], "qualified_name"), [expected], "goto-definition {name}");
    }
    let (notes, found) = ask(&world, &["get-symbols", "PARSE_CONFIG"]);
    assert!(notes[0].contains("differ in case") && found["not_found"].is_null(), "{notes:?}");
    let (notes, found) = ask(&world, &["get-symbols", "parse_confg", "nothing_like_it"]);
    assert_eq!(notes, ["no definition of `parse_confg`; showing `parse_config`"]);
    assert_eq!(found["not_found"], serde_json::json!(["parse_confg", "nothing_like_it"]));
    assert_eq!(each(&found["symbols"], "name"), ["parse_config"]);
    let (notes, found) = ask(&world, &["get-symbols", "./n.py"]);
    assert_eq!((each(&found["symbols"], "path"), notes.len()), (vec!["n.py".to_owned()], 1), "{notes:?}");
    assert_eq!(qualified("n.py:5"), ["parse_config"]);
}

#[test]
fn exact_searches_cover_whole_files() {
    let world = World::new();
    world.write("unix.py", "alpha = 1\nbeta = compute_total()\ngamma = 3\n");
    world.write("windows.py", "alpha = 1\r\nbeta = compute_total()\r\ngamma = 3\r\n");
    let body: String = (0..400).map(|nth| format!("    value_{nth} = compute_part({nth})\n")).collect();
    world.write("tests/long.py", format!("def first():\n{body}    return 1\n\ndef second():\n    return 2\n"));
    world.run(&[]);
    let exact = |args: &[&str]| lines(&world, &[args, &["--mode", "regex"]].concat());
    assert_eq!(exact(&["total\\(\\)$"]), ["unix.py:2", "windows.py:2"]);
    assert_eq!(exact(&["^beta.*$"]), ["unix.py:2", "windows.py:2"]);
    assert_eq!(exact(&["total\\(\\)\\ngamma"]), ["unix.py:2", "windows.py:2"], "over lines");
    assert_eq!(exact(&["total\\(\\)\\r\\n"]), ["windows.py:2"], "carriage returns that are named");
    assert_eq!(lines(&world, &["total()\ngamma", "--mode", "literal"]), ["unix.py:2", "windows.py:2"]);
    let chunks = ask(&world, &["search", "compute_part", "--mode", "literal", "-k", "1000"]).1;
    assert!(chunks["hits"].as_array().unwrap().len() > 1, "the file has several chunks");
    assert_eq!(exact(&["return 1\\n\\ndef second\\(\\):\\n    return 2"]), ["tests/long.py:402"], "over chunks");
    assert_eq!(exact(&["(?s)def first.*return 2"]), ["tests/long.py:1"]);

    let (_, answer) = ask(&world, &["search", "compute_", "--mode", "literal", "-k", "1"]);
    assert_eq!(answer["hits"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["matches"], serde_json::json!({ "total": 402, "files": 3, "truncated": true }));
    let (_, all) = ask(&world, &["search", "compute_", "--mode", "literal", "--all"]);
    assert_eq!(all["matches"], serde_json::json!({ "total": 402, "files": 3, "truncated": false }));
    let places: Vec<u64> =
        all["hits"].as_array().unwrap().iter().map(|hit| hit["start_line"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (2..=401).chain([2, 2]).collect();
    assert_eq!(places, expected, "each match by path and line");
    let (_, none) = ask(&world, &["search", "$", "--mode", "regex", "--all", "--path", "unix.py"]);
    assert_eq!(none["matches"]["total"], 3, "no line after the last");

    let ranked = lines(&world, &["compute_\\w+\\(", "--mode", "regex", "--order", "rank", "--limit", "2"]);
    assert_eq!(ranked.len(), 2);
    let (_, first) = ask(&world, &["search", "alpha", "--mode", "regex", "--order", "rank", "--all"]);
    assert_eq!(first["matches"]["total"], 2);
    assert!(first["hits"][0]["score"].as_f64() > Some(0.0));
    let output = world.command(&["search", "x", "--all", "--index", "index"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "only for exact searches");

    let whole = ask(&world, &["get-files", "tests/long.py:401-404"]).1;
    assert!(whole["files"][0]["text"].as_str().unwrap().ends_with("    return 1\n\ndef second():\n"), "{whole:#}");
}

#[test]
fn text_is_found_whatever_signs_are_around_it() {
    let world = World::new();
    let silo =
        "def pour_grain(silo):\n    \"\"\"Pours the \"grain\".\"\"\"\n    return silo\n\ndef slip():\n    return 1\n";
    world.write("a.py", silo);
    world.write("b.cpp", "int pour(Mill* mill) { return mill->grind(); }\n");
    world.write("k.md", "# 문서\n\n검색기를 만든다.\n");
    world.write("c.md", "# 说明\n\n解析器的代码。\n");
    world.write("j.md", "# 説明\n\nパーサーの検索。\n");
    world.write("t.md", "# คู่มือ\n\nการค้นหาข้อมูล\n");
    world.write("e.md", "# Release\n\nLaunch 🚀 now\n");
    world.write("n.md", "# Accents\n\nA cafe\u{301} at noon.\n");
    world.run(&[]);
    let found = |query: &str| hits(&world, &[query, "--mode", "text"]);
    for query in [
        "say \"pour_grain",
        "where is \"pour grain\" and what is \"never written\" for",
        "`pour_grain`",
        "crate::mill::pour_grain",
        "don't \"pour_grain\" \"x\" \"",
        "File \"/x/a.py\", line 1, in pour_grain\n    return silo[\"key\"]\nKeyError: 'key'",
    ] {
        assert!(found(query).contains(&"a.py".to_owned()), "{query}: {:?}", found(query));
    }
    assert!(found("mill->grind()").contains(&"b.cpp".to_owned()));
    for (query, path) in [
        ("검색기", "k.md"),
        ("검색", "k.md"),
        ("解析", "c.md"),
        ("検索", "j.md"),
        ("ค้นหา", "t.md"),
        ("🚀", "e.md"),
        ("caf\u{e9}", "n.md"),
        ("cafe\u{301}", "n.md"),
    ] {
        let answer = ask(&world, &["search", query, "--mode", "text"]).1;
        assert_eq!(answer["hits"][0]["path"], path, "{query}: {answer:#}");
    }
    for mode in ["text", "hybrid"] {
        let (notes, answer) = ask(&world, &["search", "->", "--mode", mode]);
        assert_eq!((each(&answer["hits"], "path"), notes.len()), (vec!["b.cpp".to_owned()], 1), "{notes:?}");
    }
    for (slip, mode) in [("pour_grian", "text"), ("pour_grian", "hybrid"), ("silp", "text")] {
        let (notes, answer) = ask(&world, &["search", slip, "--mode", mode]);
        assert_eq!(notes.len(), 1, "{slip}");
        assert!(notes[0].starts_with(&format!("no chunk has `{slip}`; showing hits for `")), "{notes:?}");
        assert_eq!(answer["hits"][0]["path"], "a.py", "{slip} {mode}");
    }
    assert_eq!(ask(&world, &["search", "pour_grain", "--mode", "text"]).0, [""; 0]);
    let (notes, answer) = ask(&world, &["search", "./b.cpp", "--mode", "text"]);
    assert!(notes[0].contains("is a file") && each(&answer["hits"], "path") == ["b.cpp"], "{notes:?}");
    assert_eq!(found("zzzqqq"), [""; 0], "what is nowhere is not found");
}
