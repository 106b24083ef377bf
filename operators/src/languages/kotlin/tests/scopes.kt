package com.mill

import com.mill.parts.Wheel // @ Wheel -> file Wheel
import com.mill.tools.weigh as measure // @ weigh -> file measure
import com.mill.text.trimmed

@Machine("mill") // @ Machine -> free Machine
class Mill<T : Load>(private val wheel: Wheel, val stones: List<Stone>, size: Int) : Base<T>(wheel), Closer { // @ Wheel -> file Wheel [type unit Mill wheel]; Stone -> unit Stone [type unit Mill stones []]; Base -> free Base [base unit Mill]; Closer -> free Closer [base unit Mill]; wheel -> local
    val area = size * 2 // @ size -> local
    val gauge = Gauge(area) // @ Gauge -> unit Mill . Gauge [type unit Mill gauge > ()]; area -> unit Mill area
    private val sack by lazy { Sack() } // @ Sack -> unit Mill . Sack [type unit Mill sack > ()]; lazy -> unit Mill . lazy

    fun grind(grain: Grain): Flour { // @ Grain -> free Grain; Flour -> free Flour [type unit Mill grind ()]
        wheel.turn(grain) // @ wheel -> local; turn -> file Wheel : turn
        start() // @ start -> unit Mill . start
        gauge.read() // @ gauge -> unit Mill gauge; read -> unit Mill gauge : read
        sack.fill() // @ fill -> unit Mill sack : fill
        val flour = Flour(measure(grain)) // @ Flour -> unit Mill . Flour; measure -> file measure
        flour.also { it.sift() }.rest() // @ it -> local; sift -> unit Mill . Flour () : sift; rest -> unit Mill . Flour () : rest
        for (stone in stones) stone.turn() // @ stone -> local; turn -> unit Stone turn
        stones.first().turn() // @ turn -> unit Stone turn
        stones.forEach { it.turn() } // @ turn -> unit Stone turn
        stones.filter { s -> s.turn() }.map(Stone::turn) // @ turn -> unit Stone turn
        stones[0].turn() // @ turn -> unit Stone turn
        this.grind(grain) // @ grind -> unit Mill grind
        super.stop() // @ stop -> free Base : stop
        helper(depth = depth) // @ helper -> unit helper; depth -> unit depth
        create().grind(grain) // @ create -> unit Mill create; grind -> unit Mill create () : grind
        "x".shout() // @ shout -> free String : shout
        flour.trimmed() // @ trimmed -> file trimmed
        println("$flour ${wheel.size}") // @ println -> unit Mill . println; flour -> local; size -> file Wheel size
        when (flour) {
            is Oats -> return flour // @ Oats -> free Oats
            else -> (flour as Oats).eat() // @ eat -> free Oats : eat
        }
        try { run() } catch (e: Jam) { e.clear() } // @ run -> unit run; Jam -> free Jam; clear -> free Jam : clear
        val local = object : Hook { // @ Hook -> free Hook
            override fun fire() { pull(); helper(1) } // @ pull -> free Hook . pull; helper -> unit helper
        }
        local.fire() // @ fire -> free Hook : fire
        return flour ?: Flour(1)
    }

    companion object {
        const val MAX = 3
        fun create(): Mill<Load> = Mill(Wheel(), listOf(), MAX) // @ Mill -> unit Mill; MAX -> unit Mill MAX
    }

    inner class Inner {
        fun go() = grind(this@Mill.area) // @ grind -> unit Mill grind; area -> unit Mill area
    }
}

class Stone {
    fun turn() = Speed.FAST.rpm() // @ Speed -> unit Speed; FAST -> unit Speed FAST; rpm -> unit Speed FAST : rpm
}

enum class Speed(val load: Int) {
    SLOW(1),
    FAST(2);

    fun rpm() = load // @ load -> local
}

object Registry {
    val mills = mutableListOf<Stone>()
}

fun helper(depth: Int): Int = Registry.mills.size + Mill.MAX // @ Registry -> unit Registry; mills -> unit Registry mills; MAX -> unit Mill MAX

fun run() {
    helper(1) // @ helper -> unit helper
    Mill.Companion.create() // @ create -> unit Mill create
}

fun String.shout() = this.lower().plus(length) // @ String -> free String; lower -> free String : lower; length -> free String . length

val Wheel.rim: Rim // @ Rim -> free Rim [type unit rim]
    get() = spokes // @ spokes -> file Wheel . spokes

val depth = 4
