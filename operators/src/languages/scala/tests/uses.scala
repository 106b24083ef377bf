package com.mill

import com.mill.parts.Wheel
import com.mill.grain.{Grain, Oat => Oats, _}
import scala.collection.mutable._

@deprecated("x", "1")
class Mill[T <: Load](wheel: Wheel) extends Base[T](wheel) with parts.Device with Closer {
  val stones: List[Stone] = List()

  def grind(grain: Grain): Flour = {
    wheel.turn(grain)
    new Flour(weigh[Grain](grain))
  }
}
