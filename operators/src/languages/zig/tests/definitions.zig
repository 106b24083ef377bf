//! Keeps grain.
const std = @import("std");

/// The most grains.
pub const capacity: usize = 64;
var opened: u32 = 0;

/// A place for grain.
pub const Silo = struct {
    /// What lies in it.
    grains: []u8,
    open: bool = true,

    const Self = @This();

    /// Makes a silo.
    pub fn init(size: usize) Self {
        const inner = size;
        return .{ .grains = inner };
    }
};

const Failure = enum { full, shut };
const Bits = union(enum) { int: u32, float: f32 };
const SiloError = error{ Full, Shut };

/// Adds.
pub inline fn add(comptime T: type, a: T, b: T) !T {
    return a + b;
}

extern fn abs(x: i32) i32;

fn List(comptime T: type) type {
    return struct {
        items: []T,
        pub fn push(self: *@This()) void { _ = self; }
    };
}

test "adds" {
    try std.testing.expect(true);
}
