import Foundation

/// The most grains.
let capacity = 64
var opened: Int = 0

/// A place for grain.
///
/// It keeps count.
@objc
public final class Silo<T>: Base, Mill {
    /// What lies in it.
    private var grains: [T] = []
    static let limit = 3

    /// Makes a silo.
    init(size: Int) { self.size = size }
    deinit { close() }

    /// Adds a grain.
    @discardableResult
    func add(_ grain: T) throws -> Bool {
        func check(n: Int) -> Bool { n > 0 }
        return check(n: 1)
    }
    subscript(i: Int) -> T { grains[i] }
}

protocol Mill {
    associatedtype Grain
    var turns: Int { get }
    func mill(grain: Int) -> Int
}

/// How a silo fails.
enum Failure: Error {
    case full
    case shut(since: Int), broken
    func text() -> String { "" }
}

struct Pair { let a: Int, b: Int }
extension Silo where T: Equatable {
    func has(_ grain: T) -> Bool { true }
}
typealias Handler = (Int) -> Void
actor Keeper { func keep() {} }
func help() {}
