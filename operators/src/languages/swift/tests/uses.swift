import Foundation
import struct Mill.Wheel

@available(iOS 13, *)
final class Mill<T: Load>: Base, parts.Device {
    let stones: [Stone] = []
    var wheel: Parts.Wheel?

    func grind(_ grain: Grain) throws -> Flour {
        wheel?.turn(grain)
        self.log(grain.weight())
        return Flour(weigh(grain))
    }
}

extension Mill: Closer {}
