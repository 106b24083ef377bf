package org.grain

import scala.collection.mutable

/** A place for grain. */
@deprecated("no", "1")
class Silo[T](val size: Int) extends Base with Mill[T] {
  /** The most grains. */
  val capacity: Int = 64
  var opened = false
  type Grain = T

  /** Adds a grain. */
  override def add(grain: T): Unit = {
    def check(n: Int): Boolean = n > 0
    check(1)
  }
  def this() = this(1)
}

object Silo {
  def apply(): Silo[Int] = new Silo(1)
}

trait Mill[T] {
  def add(grain: T): Unit
}

case class Pair(a: Int, b: Int)
case object Empty

enum Failure {
  case Full, Shut
  case Broken(code: Int)
}

package object util { def help = 1 }
given ordering: Ordering[Pair] with { def compare(a: Pair, b: Pair) = 0 }
extension (s: String) def shout: String = s.toUpperCase
