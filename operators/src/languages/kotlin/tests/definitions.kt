package org.grain

import kotlin.math.max

/** The most grains. */
const val CAPACITY = 64
var opened: Int = 0

/**
 * A place for grain.
 */
@Serializable
open class Silo<T>(val size: Int, private var label: String) : Base(), Mill<T> {
    /** What lies in it. */
    private val grains = mutableListOf<T>()
    val first: T get() = grains[0]

    init { println("made") }

    constructor(size: Int) : this(size, "")

    /** Adds a grain. */
    @Throws(Exception::class)
    override suspend fun add(grain: T): Boolean {
        fun check(n: Int) = n > 0
        return check(1)
    }

    companion object {
        fun open() = Silo<Int>(1)
    }
}

interface Mill<T> {
    suspend fun add(grain: T): Boolean
}

enum class Failure(val code: Int) {
    FULL(1),
    SHUT(2);

    fun text() = name
}

data class Pair(val a: Int, val b: Int)
object Registry {
    val all = 1
}

typealias Handler = (Int) -> Unit
fun String.shout(): String = uppercase()
sealed interface State
