const std = @import("std");
const parts = @import("parts/wheel.zig");

const Mill = struct {
    wheel: parts.Wheel,
    stones: []const Stone,

    pub fn grind(self: *Mill, grain: ?Grain, n: u32) !Flour {
        self.wheel.turn(grain);
        std.debug.print("{}", .{weigh(grain)});
        return Flour{ .weight = n };
    }
};
