use crate::testing::parse;

/// Returns `line name → target`, and what it says of another path, for each use in `text` that is
/// bound to something.
fn bound(path: &str, text: &str) -> Vec<String> {
    let syntax = parse(path, text);
    let known = syntax.references.iter().filter(|reference| reference.target.anchor().is_some());
    let row = known.map(|reference| {
        let lead = reference.lead.as_ref().map(|lead| format!(" ({lead})")).unwrap_or_default();
        format!("{} {} → {}{lead}", reference.line, reference.name, reference.target)
    });
    row.collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(bound(path, text), expected, "{text}");
}

#[track_caller]
fn check_keys(path: &str, text: &str, expected: &[&str]) {
    let syntax = parse(path, text);
    let keys: Vec<&str> = syntax.definitions.iter().map(|definition| definition.key.as_str()).collect();
    assert_eq!(keys, expected, "{text}");
}

#[test]
fn a_name_means_what_the_nearest_scope_declares() {
    let text = "\
import { f } from './f';
f();
function g(f) { f(); later(); }
{ const f = 1; f(); }
function later() { var h; for (const g of []) g(); h(); }
g(); try { f() } catch (f) { f() }
const h = f => f();
";
    check("a.js", text, &["1 f → file f", "2 f → file f", "3 later → unit later", "6 g → unit g", "6 f → file f"]);
}

#[test]
fn what_a_block_declares_has_a_path_of_its_own() {
    let text = "\
const f = () => 1;
describe('a', () => {
  const f = () => {
    return 2;
  };
  f();
  class A {
    m() { return this.m(); }
  }
});
function g() {
  function inner() {}
  inner();
}
f();
";
    check_keys("a.js", text, &["unit f", "unit f {1}", "unit A {2}", "unit A {2} m", "unit g", "unit g inner"]);
    check(
        "a.js",
        text,
        &[
            "2 describe → free describe",
            "6 f → unit f {1}",
            "8 m → unit A {2} m",
            "13 inner → unit g inner",
            "15 f → unit f",
        ],
    );
}

#[test]
fn imports_are_uses_of_what_they_bring_in() {
    let text = "\
import main, { a, b as c, type D } from './m';
import * as all from './m';
import './side';
import old = require('./old');
import Inner = all.Inner;
main(a, c, all.x(), old);
";
    check(
        "a.ts",
        text,
        &[
            "1 main → file main",
            "1 a → file a",
            "1 b → file c",
            "1 D → file D",
            "2 all → file all",
            "4 old → file old",
            "5 all → file all",
            "5 Inner → file all Inner (alias unit Inner)",
            "6 main → file main",
            "6 a → file a",
            "6 c → file c",
            "6 all → file all",
            "6 x → file all x",
            "6 old → file old",
        ],
    );
}

#[test]
fn exports_under_other_names_are_members_of_the_module() {
    let text = "\
export { a as b, default as c } from './m';
export * from './n';
export * as ns from './n';
function f() {}
export { f as g, f as default };
";
    check(
        "a.ts",
        text,
        &["1 a → file b", "1 default → file c", "5 f → unit f (alias unit g)", "5 f → unit f (alias unit default)"],
    );
    let default = |text, expected: &[&str]| check("a.ts", text, expected);
    default("export default function f() {}", &["1 default → unit f (alias unit default)"]);
    default("export default class A {}", &["1 default → unit A (alias unit default)"]);
    default("const a = 1; export default a", &["1 a → unit a (alias unit default)"]);
    default("class A {}; export default new A()", &["1 A → unit A (type unit default)"]);
    default("const a = 1; export = a", &["1 a → unit a (alias unit)"]);
}

#[test]
fn common_js_modules_export_and_require() {
    let text = "\
const { a, b: c } = require('./m');
const m = require('./m');
a(); c(); m.d(); require('./n').e();
function f() {}
module.exports = { f, g: a, h() { return f(); } };
exports.i = f;
exports.j = function () { return exports.i(); };
";
    check(
        "a.js",
        text,
        &[
            "1 a → file a",
            "1 b → file c",
            "3 a → file a",
            "3 c → file c",
            "3 m → file m",
            "3 d → file m d",
            "3 e → file ./n e",
            "5 f → unit f",
            "5 a → file a (alias unit g)",
            "5 f → unit f (type unit h () > ())",
            "6 f → unit f (alias unit i)",
            "7 i → unit i (type unit j () > ())",
        ],
    );
    check(
        "a.js",
        "class A {}\nmodule.exports = A;",
        &["2 exports → unit A (alias unit default)", "2 A → unit A (alias unit)"],
    );
}

#[test]
fn types_of_variables_come_from_annotations_constructors_and_results() {
    let text = "\
import { Mill, load } from './mill';
const mill = new Mill();
const made: Mill = load();
const got = load();
function use(a: Mill, b?: Mill | null, ...rest: Mill[]) {
  a.x(); b!.x(); rest[0].x();
  const c = load(); c.x();
  const { stone: { s } } = a; s.x();
  const d = a as unknown as Mill; d.x();
  for (const e of rest) e.x();
  rest.map(f => f.x());
  const g = rest.find(h => h.x()); g.x();
}
async function wait(): Promise<Mill> { const m = await wait(); m.x(); return m; }
";
    check(
        "a.ts",
        text,
        &[
            "1 Mill → file Mill",
            "1 load → file load",
            "2 Mill → file Mill (type unit mill)",
            "3 Mill → file Mill (type unit made)",
            "3 load → file load",
            "4 load → file load (type unit got > ())",
            "5 Mill → file Mill",
            "5 Mill → file Mill",
            "5 Mill → file Mill",
            "6 x → file Mill x",
            "6 x → file Mill x",
            "6 x → file Mill x",
            "7 load → file load",
            "7 x → file load () x",
            "8 stone → file Mill stone",
            "8 s → file Mill stone s",
            "8 x → file Mill stone s x",
            "9 Mill → file Mill",
            "9 x → file Mill x",
            "10 x → file Mill x",
            "11 x → file Mill x",
            "12 x → file Mill x",
            "12 x → file Mill x",
            "14 Promise → free Promise",
            "14 Mill → file Mill (type unit wait ())",
            "14 wait → unit wait",
            "14 x → unit wait () x",
        ],
    );
}

#[test]
fn members_are_looked_up_in_classes_bases_and_interfaces() {
    let text = "\
interface Part { turn(): Stone }
class Stone extends Base implements Part {
  part: Part;
  all: Part[] = [];
  made = new Stone();
  constructor(private log: Log) { super(); }
  get first(): Part { return this.all[0]; }
  turn() { return super.turn() || this.part.turn(); }
  static of() { return new Stone(null); }
}
Stone.of().made.log.write();
enum Color { Red }
namespace Paint { export function mix() {} }
Paint.mix(Color.Red);
";
    check(
        "a.ts",
        text,
        &[
            "1 Stone → unit Stone (type unit Part turn ())",
            "2 Base → free Base (base unit Stone)",
            "2 Part → unit Part (base unit Stone)",
            "3 Part → unit Part (type unit Stone part)",
            "4 Part → unit Part (type unit Stone all [])",
            "5 Stone → unit Stone (type unit Stone made)",
            "6 Log → free Log (type unit Stone log)",
            "7 Part → unit Part (type unit Stone first)",
            "7 all → unit Stone all",
            "8 turn → free Base turn (type unit Stone turn () > ())",
            "8 part → unit Stone part",
            "8 turn → unit Stone part turn",
            "9 Stone → unit Stone (type unit Stone of ())",
            "11 Stone → unit Stone",
            "11 of → unit Stone of",
            "11 made → unit Stone of () made",
            "11 log → unit Stone of () made log",
            "11 write → unit Stone of () made log write",
            "14 Paint → unit Paint",
            "14 mix → unit Paint mix",
            "14 Color → unit Color",
            "14 Red → unit Color Red",
        ],
    );
}

#[test]
fn types_name_types_and_their_parameters_are_local() {
    let text = "\
type Box<T extends Stone> = { item: T, of: Record<string, T>, make(): Part } & Part;
type Keys = keyof typeof stone;
type Made = ReturnType<typeof make>['item'];
type If<T> = T extends Array<infer U> ? U : Part;
function is(x: unknown): x is Part { return true }
let f: <T>(a: T) => Ns.Part;
const typed: Box = { item: 1, other: f } satisfies Other;
";
    check(
        "a.ts",
        text,
        &[
            "1 Stone → free Stone (type unit Box item)",
            "1 Record → free Record",
            "1 Part → free Part (type unit Box make ())",
            "1 Part → free Part (type unit Box)",
            "2 stone → free stone",
            "3 ReturnType → free ReturnType",
            "3 make → free make (type unit Made > () item)",
            "4 Array → free Array",
            "4 Part → free Part (type unit If)",
            "5 Part → free Part",
            "6 Ns → free Ns",
            "6 Part → free Ns Part (type unit f ())",
            "7 Box → unit Box (type unit typed)",
            "7 item → free Other item",
            "7 other → free Other other",
            "7 f → unit f (alias unit typed other)",
            "7 Other → free Other",
        ],
    );
}

#[test]
fn values_that_are_passed_on_are_uses() {
    let text = "\
function f() {}
register(f, { f, g: f }, [f]);
const table = { run: f, f, nested: { deep() { return f; } } };
table.run(); table.nested.deep();
function own() { const local = { go: f, s: new Map<string, Stone>() }; local.go(); local.s.get('a').x(); }
Old.prototype.hi = function () { this.low(); };
function Old() { this.low = f; }
";
    check(
        "a.ts",
        text,
        &[
            "2 register → free register",
            "2 f → unit f",
            "2 f → unit f",
            "2 f → unit f",
            "2 f → unit f",
            "3 f → unit f (alias unit table run)",
            "3 f → unit f (alias unit table f)",
            "3 f → unit f (type unit table nested deep ())",
            "4 table → unit table",
            "4 run → unit table run",
            "4 table → unit table",
            "4 nested → unit table nested",
            "4 deep → unit table nested deep",
            "5 f → unit f (alias unit {175} go)",
            "5 Map → free Map",
            "5 Stone → free Stone (type unit {175} s [])",
            "5 go → unit {175} go",
            "5 s → unit {175} s",
            "5 get → unit {175} s get",
            "5 x → unit {175} s [] x",
            "6 Old → unit Old",
            "6 low → unit Old low",
            "7 low → unit Old low",
            "7 f → unit f (type unit Old low)",
        ],
    );
}

#[test]
fn elements_and_decorators_are_uses() {
    let text = "\
import { Panel, type Props } from './panel';
export const Page = ({ open, title }: Props) => <div onClick={open}><Panel title={title}></Panel><Ui.Row /></div>;
@Injectable() class A { @Input() x: Props; constructor(@Inject(Page) p) {} }
";
    check(
        "a.tsx",
        text,
        &[
            "1 Panel → file Panel",
            "1 Props → file Props",
            "2 open → file Props open",
            "2 title → file Props title",
            "2 Props → file Props",
            "2 Panel → file Panel",
            "2 Panel → file Panel",
            "2 Ui → free Ui",
            "2 Row → free Ui Row",
            "3 Injectable → free Injectable",
            "3 Input → free Input",
            "3 Props → file Props (type unit A x)",
            "3 Inject → free Inject",
            "3 Page → unit Page",
        ],
    );
}

#[test]
fn deep_code_is_bound_as_far_as_it_goes() {
    let deep = format!("{}f{}", "(".repeat(900), ")".repeat(900));
    assert_eq!(parse("a.ts", &deep).language, "typescript");
    let objects = format!("const a = {}1{};", "{ a: ".repeat(900), " }".repeat(900));
    assert_eq!(parse("a.ts", &objects).definitions.len(), 1);
    let types = format!("type A = {}B{};", "{ a: ".repeat(900), " }".repeat(900));
    assert!(!parse("a.ts", &types).definitions.is_empty());
}
