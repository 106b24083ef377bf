use std::{fmt, io::{self, Read as _}};
use crate::a::b::C;
use super::wheel::*;
pub(crate) use self::inner::Part as Piece;
extern crate alloc as memory;
mod inner;

#[derive(Debug, Clone)]
struct Stone<T: Grind> {
    wheel: Wheel,
    parts: Vec<inner::Part>,
    weight: u32,
    load: T,
}

trait Grind: Send + fmt::Debug {
    type Out;
    fn grind(&self, grain: &Grain) -> Result<Self::Out, io::Error>;
}

impl<T: Grind> Grind for Stone<T> {
    type Out = Flour;
    fn grind(&self, grain: &Grain) -> Result<Flour, io::Error> {
        println!("{}", name_of(grain));
        let flour = Flour { weight: self.wheel.turn(grain.weight()) };
        std::mem::drop(grain.clone());
        let parsed = "1".parse::<u32>().unwrap_or(0);
        assert_eq!(crate::check(&flour), Some(parsed));
        Ok(Wheel::spin(flour))
    }
}

mod tests {
    use super::*;
    use super::super::other::Thing;

    #[tokio::test]
    async fn works() {
        run(|x| x.go()).await;
    }
}
