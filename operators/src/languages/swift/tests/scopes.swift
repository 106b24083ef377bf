import Foundation
protocol Turning { func turn(by: Int) -> Part; var size: Int { get } } // @@ Part=Part Int=none
class Part: Turning {                              // @@ Turning=Turning
    var size = 1
    weak var next: Part?                           // @@ Part=Part
    let inner: Inner                               // @@ Inner=Part.Inner
    struct Inner { let depth: Int }
    init(size: Int) { self.size = size; inner = Inner(depth: 2) } // @@ size=Part.size Inner=Part.Inner inner=Part.inner
    func turn(by n: Int) -> Part { return next ?? self } // @@ next=Part.next Part=Part
    func weigh() -> Int { size + inner.depth }     // @@ size=Part.size inner=Part.inner depth=Part.Inner.depth
    static func make() -> Part { Part(size: limit) } // @@ Part=Part limit=limit
}
let limit = 8
enum Grade { case fine, coarse; func worse() -> Grade { .coarse } } // @@ Grade=Grade
final class Wheel: Part {                          // @@ Part=Part
    private var parts: [Part] = []                 // @@ Part=Part
    private var grade = Grade.fine                 // @@ Grade=Grade fine=Grade.fine
    override func weigh() -> Int {
        let own = super.weigh()                    // @@ weigh=Part.weigh
        parts.forEach { $0.turn(by: own) }         // @@ parts=Wheel.parts turn=Part.turn own=local
        let total = parts.map { part in part.weigh() } // @@ part=local weigh=Part.weigh
        for part in parts { part.next?.next!.weigh() } // @@ next=Part.next weigh=Part.weigh parts=Wheel.parts part=local
        guard let first = parts.first, let grade = lookup(own) else { return size } // @@ lookup=Wheel.lookup size=Part.size
        return helper(first, grade.worse())        // @@ helper=helper first=local worse=Grade.worse grade=local
    }
    func lookup(_ n: Int) -> Grade? { n > 0 ? grade : nil } // @@ Grade=Grade grade=Wheel.grade n=local
}
extension Wheel {
    func extra(other: Wheel, any: Unknown) {       // @@ Wheel=Wheel Unknown=none
        other.extra(other: self, any: any)         // @@ extra=Wheel.extra other=local any=local
        any.extra()                                // @@ extra=none any=local
        weigh()                                    // @@ weigh=Wheel.weigh
        if let next = other.next { next.weigh() }  // @@ next=Part.next
        Part.make().turn(by: 1).weigh()            // @@ Part=Part make=Part.make turn=Part.turn weigh=Part.weigh
        let made = Wheel(size: 1)                  // @@ Wheel=Wheel
        made.extra(other: made, any: any)          // @@ extra=Wheel.extra made=local
        switch grade { case .fine: weigh(); case .coarse: helper(self, .fine) } // @@ grade=Wheel.grade weigh=Wheel.weigh helper=helper
        print(String(limit))                       // @@ print=none String=none limit=limit
    }
}
func helper<T: Turning>(_ part: T, _ grade: Grade) -> Int { // @@ Turning=Turning T=local Grade=Grade
    let done: (Part) -> Void = { $0.weigh() }      // @@ Part=Part
    return part.turn(by: 1).size                   // @@ turn=Turning.turn size=Part.size part=local
}
