package com.mill.core;

import com.mill.parts.Wheel;
import com.mill.grain.*;
import static com.mill.Math.weigh;

@Machine(name = "mill")
public class Mill<T extends Load> extends Base<T> implements Device, parts.Closer {
    private final Map<String, Stone> stones = new HashMap<>();

    @Override
    public Flour grind(Grain grain, int n) throws MillException {
        this.wheel.turn(grain);
        stones.forEach(Stone::roll);
        return new Parts.Flour(weigh(grain));
    }
}
