using System;
using System.Collections.Generic;
using static System.Math;
using Alias = Mill.Parts.Wheel;

namespace Mill.Core;

[Serializable]
public class Mill<T> : Base<T>, IMachine where T : Load
{
    private readonly List<Stone> stones = new();
    public Wheel? Wheel { get; set; }

    [Test.Fact]
    public Flour Grind(Grain grain, int n)
    {
        Wheel?.Turn(grain);
        var flour = new Parts.Flour(Weigh<Grain>(grain));
        Console.WriteLine(flour as Dust);
        foreach (Stone stone in stones) { stone.Stop(); }
        return (Flour)flour;
    }
}
