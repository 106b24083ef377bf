use crate::testing::check_bindings;

#[test]
fn items_and_locals() {
    check_bindings(
        "src/a.rs",
        "\
struct Mill; enum Kind { Fast(Mill), Slow { mill: Mill } } const MAX: u32 = 1;
fn grind<T>(mill: Mill, t: T) -> Mill {
    later(MAX); let later = mill; later.turn(); inner(); fn inner() {} let x: T = t;
    match Kind::Fast(later) { Kind::Fast(m) => m.turn(), Kind::Slow { mill } => mill.turn(), MAX => 1, None => grind }
}
fn later(n: u32) { grind(1, 2).turn(); run(grind); }
",
        &[
            "1 Mill → unit Mill, type unit Kind Fast $ 0",
            "1 Mill → unit Mill, type unit Kind Slow $ mill",
            "2 Mill → unit Mill",
            "2 T → local",
            "2 Mill → unit Mill, type unit grind ()",
            "3 later → unit later",
            "3 MAX → unit MAX",
            "3 turn → unit Mill turn",
            "3 inner → unit grind inner",
            "3 T → local",
            "4 Kind → unit Kind",
            "4 Fast → unit Kind Fast",
            "4 Kind → unit Kind",
            "4 Fast → unit Kind Fast",
            "4 turn → unit Mill turn",
            "4 Kind → unit Kind",
            "4 Slow → unit Kind Slow",
            "4 mill → unit Kind Slow $ mill",
            "4 turn → unit Mill turn",
            "4 MAX → unit MAX",
            "4 None → free None",
            "4 grind → unit grind",
            "6 grind → unit grind",
            "6 turn → unit Mill turn",
            "6 run → free run",
            "6 grind → unit grind",
        ],
    );
}

#[test]
fn imports_and_paths() {
    check_bindings(
        "src/a.rs",
        "\
use std::sync::Arc;
use crate::mill::{self, Mill, Kind::{self, Fast}, grind as g};
mod oven;
fn f(m: Mill) {
    m.turn(); g(m); mill::stop(); oven::heat(); tower::layer::new(); crate::a::Own::go(); super::up(); self::f();
    ::core_kit::x(); Kind::Slow; Fast; Mill::new()?.turn().await;
}
mod tests {
    use super::*;
    use super::f as other;
    mod closed { struct Mill; fn h(m: Mill, k: Kind) { super::tested(); f() } }
    fn tested() { f(); other(); use crate::kit::*; deep(); use crate::x::only; only() }
}
",
        &[
            "1 Arc → file Arc",
            "2 mill → file mill",
            "2 Mill → file Mill",
            "2 Kind → file Kind",
            "2 Fast → file Fast",
            "2 grind → file g",
            "4 Mill → file Mill",
            "5 turn → file Mill turn",
            "5 g → file g",
            "5 stop → file mill stop",
            "5 heat → file oven heat",
            "5 new → file tower layer new",
            "5 Own → file crate a Own",
            "5 go → file crate a Own go",
            "5 up → file super up",
            "5 f → unit f",
            "6 x → file core_kit x",
            "6 Kind → file Kind",
            "6 Slow → file Kind Slow",
            "6 Fast → file Fast",
            "6 Mill → file Mill",
            "6 new → file Mill new",
            "6 turn → file Mill turn",
            "10 f → file tests::other",
            "11 Mill → unit tests closed Mill",
            "11 Kind → unit tests closed Kind",
            "11 tested → unit tests tested",
            "11 f → unit tests closed f",
            "12 f → unit f",
            "12 other → file tests::other",
            "12 deep → unit tests tested deep",
            "12 only → file tests::tested::only",
            "12 only → file tests::tested::only",
        ],
    );
}

#[test]
fn members() {
    check_bindings(
        "src/a.rs",
        "\
use other::Foreign;
struct Mill { wheel: Box<Wheel>, parts: Vec<Part>, pair: (u8, u8) }
struct Wheel(Arc<Mutex<Axle>>);
struct Part; struct Axle;
trait Turn: Base { fn turn(&self); type Out; fn out(&self) -> Self::Out; }
impl Mill {
    const N: u8 = 1;
    fn new() -> Result<Self, Error> { Ok(Self { wheel: make(), parts: 1 }) }
    fn part(&self) -> Option<&Part> { self.parts.first() }
    fn go(&mut self) { self.wheel.spin(); Self::N; self.wheel.0.lock().unwrap().grease(); self.part().unwrap().name(); }
}
impl Turn for Mill { type Out = Part; fn turn(&self) { self.new(); } fn out(&self) -> Part { Part } }
impl Foreign { fn own(&self) { self.own(); Self::make(); } }
impl<T: Turn> Late for T { fn late(&self) { self.late(); } }
fn f<T: Turn, U>(t: T, u: &mut U, d: &dyn Turn, i: impl Turn) where U: Turn + Late {
    t.turn(); u.turn(); d.turn(); i.turn(); T::turn(&t); <T as Turn>::turn(&t);
    let mill = Mill::new()?; for part in &mill.parts { part.name(); }
    if let Some(part) = mill.part() { part.name(); }
    mill.parts.iter().map(|part| part.name()).count();
    for (i, part) in mill.parts.iter().enumerate() { part.name(); }
    let Mill { wheel, parts: many } = mill; wheel.spin(); many[0].name();
    let w = Wheel(1); w.0.grease(); let boxed = Box::new(Part); boxed.name(); Arc::clone(&boxed).name(); unknown().name();
}
",
        &[
            "1 Foreign → file Foreign",
            "2 Box → free Box",
            "2 Wheel → unit Wheel, type unit Mill $ wheel",
            "2 Vec → free Vec",
            "2 Part → unit Part, type unit Mill $ parts []",
            "3 Arc → free Arc",
            "3 Mutex → free Mutex",
            "3 Axle → unit Axle, type unit Wheel $ 0",
            "5 Base → free Base, base unit Turn",
            "5 Self → unit Turn",
            "5 Out → unit Turn Out, type unit Turn out ()",
            "6 Mill → unit Mill",
            "8 Result → free Result",
            "8 Self → unit Mill, type unit Mill new () []",
            "8 Error → free Error",
            "8 Ok → free Ok",
            "8 Self → unit Mill",
            "8 wheel → unit Mill $ wheel",
            "8 make → free make",
            "8 parts → unit Mill $ parts",
            "9 Option → free Option",
            "9 Part → unit Part, type unit Mill part () []",
            "9 parts → unit Mill $ parts",
            "9 first → ?",
            "10 wheel → unit Mill $ wheel",
            "10 spin → unit Wheel spin",
            "10 Self → unit Mill",
            "10 N → unit Mill N",
            "10 wheel → unit Mill $ wheel",
            "10 lock → unit Axle lock",
            "10 unwrap → ?",
            "10 grease → unit Axle grease",
            "10 part → unit Mill part",
            "10 unwrap → ?",
            "10 name → unit Part name",
            "12 Turn → unit Turn, base unit Mill",
            "12 Mill → unit Mill",
            "12 Part → unit Part, type unit Mill Out",
            "12 new → unit Mill new",
            "12 Part → unit Part, type unit Mill out ()",
            "12 Part → unit Part",
            "13 Foreign → file Foreign",
            "13 own → file Foreign own",
            "13 Self → file Foreign",
            "13 make → file Foreign make",
            "14 Turn → unit Turn",
            "14 Late → free Late",
            "14 T → local",
            "14 late → free Late late",
            "15 Turn → unit Turn",
            "15 T → local",
            "15 U → local",
            "15 Turn → unit Turn",
            "15 Turn → unit Turn",
            "15 U → local",
            "15 Turn → unit Turn",
            "15 Late → free Late",
            "16 turn → unit Turn turn",
            "16 turn → unit Turn turn",
            "16 turn → unit Turn turn",
            "16 turn → unit Turn turn",
            "16 turn → unit Turn turn",
            "16 T → local",
            "16 Turn → unit Turn",
            "16 turn → unit Turn turn",
            "17 Mill → unit Mill",
            "17 new → unit Mill new",
            "17 parts → unit Mill $ parts",
            "17 name → unit Part name",
            "18 Some → free Some",
            "18 part → unit Mill part",
            "18 name → unit Part name",
            "19 parts → unit Mill $ parts",
            "19 iter → ?",
            "19 map → ?",
            "19 name → unit Part name",
            "19 count → ?",
            "20 parts → unit Mill $ parts",
            "20 iter → ?",
            "20 enumerate → ?",
            "20 name → unit Part name",
            "21 Mill → unit Mill",
            "21 wheel → unit Mill $ wheel",
            "21 parts → unit Mill $ parts",
            "21 spin → unit Wheel spin",
            "21 name → unit Part name",
            "22 Wheel → unit Wheel",
            "22 grease → unit Axle grease",
            "22 Box → free Box",
            "22 new → free Box new",
            "22 Part → unit Part",
            "22 name → unit Part name",
            "22 Arc → free Arc",
            "22 clone → free Arc clone",
            "22 name → unit Part name",
            "22 unknown → free unknown",
            "22 name → free unknown () name",
        ],
    );
}

#[test]
fn macros() {
    check_bindings(
        "src/a.rs",
        "\
use kit::log;
macro_rules! own { ($x:expr) => { $crate::check($x) } }
struct Mill; impl Mill { fn turn(&self) -> Mill { Mill } }
#[log::attr] #[inline] fn f(mill: Mill) {
    own!(mill.turn()); log!(); crate_wide!(Mill); assert_eq!(mill.turn().turn(), Mill { a: f(x) }, kit::level::MAX);
    vec![mill].iter().next().unwrap().turn(); m!(|x| x.turn(), { let y = f; y });
}
",
        &[
            "1 log → file log",
            "2 check → file crate check",
            "3 Mill → unit Mill",
            "3 Mill → unit Mill, type unit Mill turn ()",
            "3 Mill → unit Mill",
            "4 attr → file log attr",
            "4 inline → ?",
            "4 Mill → unit Mill",
            "5 own → unit own",
            "5 turn → unit Mill turn",
            "5 log → file log",
            "5 crate_wide → free crate_wide",
            "5 Mill → unit Mill",
            "5 assert_eq → free assert_eq",
            "5 turn → unit Mill turn",
            "5 turn → unit Mill turn",
            "5 Mill → unit Mill",
            "5 f → unit f",
            "5 MAX → file kit level MAX",
            "6 vec → free vec",
            "6 iter → ?",
            "6 next → ?",
            "6 unwrap → ?",
            "6 turn → unit Mill turn",
            "6 m → free m",
            "6 turn → ?",
            "6 f → unit f",
        ],
    );
}

/// What is only known in part: builders, constructors of other files, closures, type aliases.
#[test]
fn types_through_calls() {
    check_bindings(
        "src/a.rs",
        "\
use kit::{Builder, Trait};
type Short = Own<u8>; struct Own<T>(T); impl<T> Own<T> { fn field(&self) {} }
struct Both { field: Short } impl Both { fn field(&self) -> Builder { Builder::new() } }
impl Trait for Both { type Item = Own<u8>; fn get(&self) -> Option<Self::Item> { self.field.field(); self.field().run() } }
async fn f(both: &mut Both, names: HashMap<String, Own<u8>>, own: impl Fn(Own<u8>) -> u8) {
    Builder::new().one().two().three().four(); Builder::builder().a().b().build()?.run(); let built = Builder::default(); built.go().unwrap().get();
    both.get().map(|own| own.field()); if let Some(own) = both.get() { own.field(); }
    for (_, own) in &names { own.field(); } let own = names.get(1).unwrap(); own.field();
    let (a, b) = (Builder::new(), both); b.field().run(); match (a, b) { (x, y) => y.get() }
    fn inner() { use kit::Level::*; High; use kit::other; other() } Own::<u8>::field(1); dyn_of::<Own<u8>>();
}
",
        &[
            "1 Builder → file Builder",
            "1 Trait → file Trait",
            "2 Own → unit Own, type unit Short",
            "2 T → local",
            "2 Own → unit Own, type unit Both $ field",
            "2 T → local",
            "3 Short → unit Short",
            "3 Both → unit Both",
            "3 Builder → file Builder, type unit Both field ()",
            "3 Builder → file Builder",
            "3 new → file Builder new",
            "4 Trait → file Trait, base unit Both",
            "4 Both → unit Both",
            "4 Own → unit Own, type unit Both Item",
            "4 Option → free Option",
            "4 Self → unit Both",
            "4 Item → file Trait Item",
            "4 field → unit Both $ field",
            "4 field → unit Own field",
            "4 field → unit Both field",
            "4 run → file Builder run",
            "5 Both → unit Both",
            "5 HashMap → free HashMap",
            "5 String → free String",
            "5 Own → unit Own",
            "5 Fn → free Fn",
            "5 Own → unit Own",
            "6 Builder → file Builder",
            "6 new → file Builder new",
            "6 one → file Builder one",
            "6 two → file Builder one () two",
            "6 three → file Builder one () two () three",
            "6 four → file Builder one () two () three () four",
            "6 Builder → file Builder",
            "6 builder → file Builder builder",
            "6 a → file Builder builder () a",
            "6 b → file Builder builder () a () b",
            "6 build → file Builder builder () a () b () build",
            "6 run → file Builder run",
            "6 Builder → file Builder",
            "6 default → file Builder default",
            "6 go → file Builder go",
            "6 unwrap → file Builder go () unwrap",
            "6 get → file Builder go () [] get",
            "7 get → unit Both get",
            "7 map → ?",
            "7 field → unit Own field",
            "7 Some → free Some",
            "7 get → unit Both get",
            "7 field → unit Own field",
            "8 field → ?",
            "8 get → ?",
            "8 unwrap → ?",
            "8 field → unit Own field",
            "9 Builder → file Builder",
            "9 new → file Builder new",
            "9 field → unit Both field",
            "9 run → file Builder run",
            "9 get → unit Both get",
            "10 High → file f High",
            "10 other → file f::other",
            "10 other → file f::other",
            "10 Own → unit Own",
            "10 field → unit Own field",
            "10 dyn_of → free dyn_of",
            "10 Own → unit Own",
        ],
    );
}

/// Of types of one name the one in the same module is meant.
#[test]
fn blocks_in_modules() {
    check_bindings(
        "src/a.rs",
        "\
struct Guard; impl Guard { fn outer(&self) { self.outer() } }
mod inner { struct Guard; impl Guard { fn put(&self) { self.put(); Self::put(self) } } }
mod other { use super::*; impl Guard { fn late(&self) { self.late(); self.outer() } } }
",
        &[
            "1 Guard → unit Guard",
            "1 outer → unit Guard outer",
            "2 Guard → unit inner Guard",
            "2 put → unit inner Guard put",
            "2 Self → unit inner Guard",
            "2 put → unit inner Guard put",
            "3 Guard → unit Guard",
            "3 late → unit Guard late",
            "3 outer → unit Guard outer",
        ],
    );
}
