//! The tools `graph_expand`, `graph_path` and `goto_definition` at a use, with and without the view
//! `edges`.

use serde_json::Value;

use crate::world::{World, text};

/// Runs a check on an index without and on one with the view `edges`.
fn with_and_without_edges(check: impl Fn(&World)) {
    for more in [&[][..], &["--set", "views.edges=true"]] {
        let world = World::new();
        world.write("app/store.py", "class Store:\n    def load_entry(self):\n        return read_disk()\n");
        world.write("app/disk.py", "def read_disk():\n    return open_device()\n\ndef open_device():\n    return 1\n");
        world.write("app/main.py", "from app.disk import read_disk\n\ndef start_program():\n    return read_disk()\n");
        world.run(more);
        check(&world);
    }
}

fn ask(world: &World, args: &[&str]) -> Value {
    let output = world.command(args).args(["--json", "--index", "index"]).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    let mut answered: Value = serde_json::from_slice(&output.stdout).unwrap();
    answered["answer"].take()
}

fn symbols(answer: &Value) -> Vec<&str> {
    answer["nodes"].as_array().unwrap().iter().map(|node| node["symbol"].as_str().unwrap()).collect()
}

/// Every edge leads from a node to a node, and nodes are at most one step deeper than a neighbour.
fn check_graph(answer: &Value) {
    let nodes = answer["nodes"].as_array().unwrap();
    let depth = |id: &Value| nodes[usize::try_from(id.as_u64().unwrap()).unwrap()]["depth"].as_u64().unwrap();
    for (nth, node) in nodes.iter().enumerate() {
        assert_eq!(node["id"], nth);
    }
    for edge in answer["edges"].as_array().unwrap() {
        assert!(depth(&edge["from"]).abs_diff(depth(&edge["to"])) <= 1, "{answer:#}");
        assert!(edge["line"].as_u64() > Some(0));
    }
}

#[test]
fn graph_expand_follows_callers_and_callees() {
    with_and_without_edges(|world| {
        let callers = ask(world, &["graph-expand", "read_disk", "--direction", "callers"]);
        check_graph(&callers);
        let found = symbols(&callers);
        assert!(found[0] == "read_disk" && found.contains(&"start_program"), "{callers:#}");
        assert_eq!((&callers["nodes"][0]["path"], &callers["nodes"][0]["line"]), (&"app/disk.py".into(), &1.into()));
        let callees = ask(world, &["graph-expand", "start_program", "--direction", "callees", "--depth", "2"]);
        check_graph(&callees);
        let found = symbols(&callees);
        assert!(found.contains(&"read_disk") && found.contains(&"open_device"), "{callees:#}");
        let one = ask(world, &["graph-expand", "start_program", "--direction", "callees"]);
        assert!(!symbols(&one).contains(&"open_device"), "one step: {one:#}");
        let few = ask(world, &["graph-expand", "start_program", "--direction", "callees", "--depth", "3", "-k", "1"]);
        assert_eq!((symbols(&few), &few["truncated"]), (vec!["start_program"], &true.into()));
        // A path as the name, and names as they are written elsewhere.
        for name in ["app/disk.py", "./app/disk.py"] {
            let file = ask(world, &["graph-expand", name, "--direction", "uses"]);
            assert_eq!((&file["nodes"][0]["kind"], &file["nodes"][0]["path"]), (&"file".into(), &"app/disk.py".into()));
        }
        for name in ["Store.load_entry", "Store::load_entry", "store.LOAD_ENTRY", "load_entry()"] {
            let method = ask(world, &["graph-expand", name]);
            assert_eq!(symbols(&method)[0], "Store.load_entry", "{name}");
        }
    });
}

#[test]
fn graph_path_finds_the_shortest_path() {
    with_and_without_edges(|world| {
        let path = ask(world, &["graph-path", "start_program", "open_device"]);
        check_graph(&path);
        assert_eq!(symbols(&path), ["start_program", "read_disk", "open_device"], "{path:#}");
        assert_eq!(path["edges"].as_array().map(Vec::len), Some(2));
        let from_file = ask(world, &["graph-path", "./app/main.py", "open_device"]);
        assert_eq!(symbols(&from_file).last(), Some(&"open_device"), "{from_file:#}");
        let none = ask(world, &["graph-path", "open_device", "start_program"]);
        assert_eq!(symbols(&none), [""; 0], "edges have a direction");
        let short = ask(world, &["graph-path", "start_program", "open_device", "--max-depth", "1"]);
        assert_eq!(symbols(&short), [""; 0]);
        let unknown = world.command(&["graph-path", "start_program", "zzzqqq", "--index", "index"]).output().unwrap();
        assert!(!unknown.status.success() && text(&unknown.stderr).contains("no definition of `zzzqqq`"));
    });
}

#[test]
fn goto_definition_at_a_use_prefers_what_the_use_means() {
    with_and_without_edges(|world| {
        let path = world.source().join("app/main.py").display().to_string();
        for path in ["app/main.py", "./app/main.py", &path] {
            let found = ask(world, &["goto-definition", "--path", path, "--line", "4"]);
            let first = &found["definitions"][0];
            assert_eq!(
                (&first["qualified_name"], &first["path"]),
                (&"read_disk".into(), &"app/disk.py".into()),
                "{path}"
            );
        }
        let local = ask(world, &["goto-definition", "open_device", "--path", "app/disk.py", "--line", "2"]);
        assert_eq!(local["definitions"][0]["path"], "app/disk.py");
        for (args, part) in [
            (["goto-definition", "--path", "app/main.py", "--line", "3"], "no reference in line 3"),
            (["goto-definition", "--path", "app/mian.py", "--line", "4"], "did you mean `app/main.py`?"),
        ] {
            let output = world.command(&args).args(["--index", "index"]).output().unwrap();
            assert!(!output.status.success() && text(&output.stderr).contains(part), "{}", text(&output.stderr));
        }
    });
}

/// `path:line` of each use of the definition in a file.
fn uses(world: &World, name: &str, path: &str) -> Vec<String> {
    let found = ask(world, &["references", name, "--path", path]);
    let uses = found["references"].as_array().unwrap().iter();
    let mut uses: Vec<String> = uses.map(|of| format!("{}:{}", of["path"].as_str().unwrap(), of["line"])).collect();
    uses.sort();
    uses
}

#[test]
fn imports_go_by_what_manifests_say() {
    let world = World::new();
    for folder in ["web", "admin"] {
        let options = format!("{{\"compilerOptions\": {{\"paths\": {{\"$all/*\": [\"./{folder}-parts/*\"]}}}}}}");
        world.write(&format!("{folder}/tsconfig.json"), &options);
        world.write(&format!("{folder}/{folder}-parts/kit/index.ts"), "export function spin() {}\n");
        world.write(&format!("{folder}/deep/main.ts"), "import { spin } from \"$all/kit/index.js\";\nspin();\n");
    }
    world.write("gears/Cargo.toml", "[package]\nname = \"mill-wheel\"\n");
    world.write("gears/src/lib.rs", "pub mod teeth;\npub fn turn() {}\n");
    world.write("gears/src/main.rs", "fn turn() {}\nfn main() {}\n");
    world.write("gears/src/teeth.rs", "pub fn bite() {}\n");
    let dependencies = "[dependencies]\nrod = { path = \"../gears\", package = \"mill-wheel\" }\n";
    world.write("shaft/Cargo.toml", format!("[package]\nname = \"shaft\"\n{dependencies}"));
    world.write("gears/tests/it.rs", "fn test() {\n    mill_wheel::teeth::bite();\n}\n");
    world.write("shaft/src/lib.rs", "use rod::teeth::bite;\nfn run() {\n    bite();\n    rod::turn();\n}\n");
    world.write("other/src/lib.rs", "use rod::turn;\nfn run() {\n    turn();\n    mill_wheel::turn();\n}\n");
    world.run(&["--set", "views.edges=true"]);
    for folder in ["web", "admin"] {
        let uses = uses(&world, "spin", &format!("{folder}/{folder}-parts/kit/index.ts"));
        assert_eq!(uses, [1, 2].map(|line| format!("{folder}/deep/main.ts:{line}")));
    }
    let expected = ["gears/tests/it.rs:2", "shaft/src/lib.rs:1", "shaft/src/lib.rs:3"];
    assert_eq!(uses(&world, "bite", "gears/src/teeth.rs"), expected);
    // Only that package depends on it, by that name.
    assert_eq!(uses(&world, "turn", "gears/src/lib.rs"), ["shaft/src/lib.rs:4"]);

    // What the options of a folder around say does not hold where there are others that do not extend them.
    let all = "{\"compilerOptions\": {\"baseUrl\": \"web\", \"paths\": {\"$all/*\": [\"../admin/admin-parts/*\"]}}}";
    world.write("tsconfig.json", all);
    world.write("web/tsconfig.json", "{\"compilerOptions\": {}}");
    world.run(&["--set", "views.edges=true"]);
    assert_eq!(uses(&world, "spin", "web/web-parts/kit/index.ts"), [""; 0]);
    assert_eq!(uses(&world, "spin", "admin/admin-parts/kit/index.ts").len(), 2);
    world.write("web/tsconfig.json", "{\"extends\": \"../tsconfig.json\"}");
    world.run(&["--set", "views.edges=true"]);
    assert_eq!(uses(&world, "spin", "admin/admin-parts/kit/index.ts").len(), 4);

    world.write("web/tsconfig.json", "{\"compilerOptions\": {\"baseUrl\": \"../admin\"}}");
    world.write("web/deep/main.ts", "import { spin } from \"admin-parts/kit\";\nspin();\n");
    world.run(&["--set", "views.edges=true"]);
    let both = ["admin/deep/main.ts:1", "admin/deep/main.ts:2", "web/deep/main.ts:1", "web/deep/main.ts:2"];
    assert_eq!(uses(&world, "spin", "admin/admin-parts/kit/index.ts"), both);
}

#[test]
fn components_are_imported_with_their_extension() {
    let world = World::new();
    let component = |name: &str| format!("<script>\nexport function {name}() {{}}\n</script>\n");
    world.write("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"./parts/*\"]}}}");
    world.write("parts/Gear.vue", component("turn"));
    world.write("parts/index.vue", component("begin"));
    world.write("parts/Gear.ts", "export function turn() {}\n");
    world.write("parts/state.svelte.ts", "export function keep() {}\n");
    world.write("parts/state.ts", "export function keep() {}\n");
    world.write("parts/index.ts", "export { begin } from \"./index.vue\";\n");
    world.write("app/one.ts", "import { turn } from \"@/Gear.vue\";\nturn();\n");
    world.write("app/two.ts", "import { turn } from \"../parts/Gear.vue\";\nturn();\n");
    world.write("app/three.ts", "import { keep } from \"../parts/state.svelte\";\nkeep();\n");
    world.run(&["--set", "views.edges=true"]);
    let found = uses(&world, "turn", "parts/Gear.vue");
    assert_eq!(found, ["app/one.ts:1", "app/one.ts:2", "app/two.ts:1", "app/two.ts:2"]);
    assert_eq!(uses(&world, "turn", "parts/Gear.ts"), [""; 0]);
    assert_eq!(uses(&world, "keep", "parts/state.svelte.ts"), ["app/three.ts:1", "app/three.ts:2"]);
    assert_eq!(uses(&world, "keep", "parts/state.ts"), [""; 0]);
    assert_eq!(uses(&world, "begin", "parts/index.vue"), ["parts/index.ts:1"]);
}

#[test]
fn imports_of_go_go_by_modules_and_their_replacements() {
    let world = World::new();
    let module = |path: &str, rest: &str| format!("module {path}\n\ngo 1.22\n{rest}");
    world.write("mill/go.mod", module("example.com/mill", "\nreplace example.com/stone v1.0.0 => ../stone-fork\n"));
    world.write("mill/main.go", GO_MAIN);
    world.write("other/go.mod", module("example.com/other", ""));
    world.write("other/main.go", GO_MAIN);
    world.write("stone/go.mod", module("example.com/stone", ""));
    world.write("stone-fork/go.mod", module("example.com/stone", ""));
    for folder in ["mill/inner/gear", "other/inner/gear"] {
        world.write(&format!("{folder}/gear.go"), "package gear\n\nfunc Turn() {}\n");
    }
    for folder in ["stone/grind", "stone-fork/grind"] {
        world.write(&format!("{folder}/grind.go"), "package grind\n\nfunc Grind() {}\n");
    }
    world.run(&["--set", "views.edges=true"]);
    // The path says which module it is in, whatever lies nearer.
    assert_eq!(uses(&world, "Turn", "mill/inner/gear/gear.go"), ["mill/main.go:9", "other/main.go:9"]);
    assert_eq!(uses(&world, "Turn", "other/inner/gear/gear.go"), [""; 0]);
    // A replacement holds in its own module. Elsewhere, either of two modules of one path may be meant.
    assert!(uses(&world, "Grind", "stone-fork/grind/grind.go").contains(&"mill/main.go:10".to_owned()));
    assert!(!uses(&world, "Grind", "stone/grind/grind.go").contains(&"mill/main.go:10".to_owned()));

    world.write("mill/go.mod", module("example.com/mill", "\nreplace example.com/stone => ../stone\n"));
    world.write("stone-fork/go.mod", module("example.com/fork", ""));
    world.run(&["--set", "views.edges=true"]);
    assert_eq!(uses(&world, "Grind", "stone/grind/grind.go"), ["mill/main.go:10", "other/main.go:10"]);
}

const GO_MAIN: &str = "package main

import (
\t\"example.com/mill/inner/gear\"
\t\"example.com/stone/grind\"
)

func main() {
\tgear.Turn()
\tgrind.Grind()
}
";
