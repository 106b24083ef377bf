package com.mill

import com.mill.parts.Wheel // @ Wheel -> file Wheel
import com.mill.grain.{Grain, Oat => Oats, _} // @ Grain -> file Grain; Oat -> file Oats
import com.mill.Tools.weigh // @ weigh -> file weigh

@machine("x") // @ machine -> free machine
class Mill[T <: Load](wheel: Wheel, val stones: List[Stone]) extends Base[T](wheel) with Closer { self => // @ Load -> free Load; Wheel -> file Wheel [type unit Mill wheel]; Base -> free Base [base unit Mill]; Closer -> free Closer [base unit Mill]; T -> local; Stone -> unit Stone [type unit Mill stones []]
  val gauge = new Gauge(3) // @ Gauge -> free Gauge [type unit Mill gauge]
  private val area: Area = wheel.area // @ Area -> free Area [type unit Mill area]; area -> file Wheel area

  def grind(grain: Grain): Flour = { // @ Grain -> file Grain; Flour -> free Flour [type unit Mill grind ()]
    wheel.turn(grain) // @ turn -> file Wheel turn
    start() // @ start -> unit Mill . start
    gauge.read.show() // @ gauge -> unit Mill gauge; read -> unit Mill gauge read; show -> unit Mill gauge read show
    self.stop() // @ stop -> unit Mill stop
    val flour = Flour(weigh(grain)) // @ Flour -> unit Mill . Flour; weigh -> file weigh
    flour.sift() // @ sift -> unit Mill . Flour () sift
    stones.foreach(s => s.turn()) // @ turn -> unit Stone turn
    stones.head.turn() // @ turn -> unit Stone turn
    for (stone <- stones) stone.turn() // @ turn -> unit Stone turn
    stones.filter(x => x.ready).map(y => y.turn()) // @ ready -> unit Stone ready; turn -> unit Stone turn
    this.grind(grain) // @ grind -> unit Mill grind
    super.close() // @ close -> free Base close
    Mill.create().grind(grain) // @ Mill -> unit Mill; create -> unit Mill create; grind -> unit Mill create () grind
    def helper(n: Int): Int = twice(n) // @ twice -> unit Mill grind twice
    def twice(n: Int): Int = n * 2
    helper(2) // @ helper -> unit Mill grind helper
    grain match {
      case o: Oats => o.roll() // @ Oats -> file Oats; roll -> file Oats roll
      case Rye(age) => age.show() // @ Rye -> free Rye; show -> ?
      case Empty => current.rest() // @ Empty -> unit Mill . Empty; current -> unit Mill current; rest -> unit Mill current rest
      case _ => ()
    }
    val hook = new Hook { // @ Hook -> free Hook
      def fire(): Unit = { pull(); grind(null) } // @ pull -> free Hook . pull; grind -> unit Mill grind
    }
    hook.fire() // @ fire -> free Hook fire
    wheel spin 3 // @ spin -> file Wheel spin
    println(s"$flour ${wheel.size}") // @ size -> file Wheel size
    build(level = 3)[Sack].fill() // @ build -> unit Mill . build; Sack -> free Sack
    flour
  }

  def stop(): Unit = ()
  def current: Gauge = gauge // @ Gauge -> free Gauge [type unit Mill current]; gauge -> unit Mill gauge
}

object Mill {
  val Max = 3
  def create(): Mill[Load] = new Mill(null, Nil) // @ Mill -> unit Mill & unit Mill [type unit Mill create ()]; Max -> local
  def half: Int = Max / 2 // @ Max -> unit Mill Max
}

trait Stone {
  def turn(): Unit = spin(Mill.Max) // @ spin -> free spin; Mill -> unit Mill; Max -> unit Mill Max
  def ready: Boolean
}

case class Point(at: Wheel, next: Option[Point]) {
  def go(): Unit = next.get.at.turn() // @ at -> unit Point at; turn -> unit Point at turn
}
