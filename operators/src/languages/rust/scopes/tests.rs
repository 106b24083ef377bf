use crate::testing::check_bindings;

#[test]
fn items_and_locals() {
    check_bindings(
        "src/a.rs",
        "\
struct Mill; enum Kind { Fast(Mill), Slow { mill: Mill } } const MAX: u32 = 1;
fn grind<T>(mill: Mill, t: T) -> Mill {
    later(MAX); let later = mill; later.turn(); inner(); fn inner() {} let x: T = t;
    match k { Kind::Fast(m) => m.turn(), Kind::Slow { mill } => mill.turn(), MAX => other, None => grind }
}
fn later(n: u32) { grind(a, b).turn(); run(grind); }
",
        &[
            "1 Mill → unit Mill, type unit Kind Fast 0",
            "1 Mill → unit Mill, type unit Kind Slow mill",
            "2 Mill → unit Mill",
            "2 T → local",
            "2 Mill → unit Mill, type unit grind ()",
            "3 later → unit later",
            "3 MAX → unit MAX",
            "3 turn → unit Mill turn",
            "3 inner → unit grind inner",
            "4 Kind → unit Kind",
            "4 Fast → unit Kind Fast",
            "4 turn → unit Mill turn",
            "4 Kind → unit Kind",
            "4 Slow → unit Kind Slow",
            "4 mill → unit Kind Slow mill",
            "4 turn → unit Mill turn",
            "4 MAX → unit MAX",
            "4 other → free other",
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
        &["1 Arc → file Arc", "2 mill → file mill", "2 Mill → file Mill", "2 Kind → file Kind"],
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
    fn new() -> Result<Self, Error> { Ok(Self { wheel: make(), parts }) }
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
    mill.parts.iter().map(|part| part.name()).for_each(drop);
    for (i, part) in mill.parts.iter().enumerate() { part.name(); }
    let Mill { wheel, parts: many } = mill; wheel.spin(); many[0].name();
    let w = Wheel(a); w.0.grease(); let boxed = Box::new(Part); boxed.name(); unknown.name();
}
",
        &[],
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
        &[],
    );
}
