package com.mill

import com.mill.parts.Wheel
import com.mill.grain.*
import com.mill.tools.weigh as measure

@Machine("mill")
class Mill<T : Load>(private val wheel: Wheel, val n: Int) : Base<T>(wheel), Device by wheel, Closer {
    val stones: List<Stone?> = listOf()

    fun Grain.grind(flour: parts.Flour): Flour {
        wheel.turn(this)
        return Flour(measure(flour)).also { it.sift() }
    }
}
