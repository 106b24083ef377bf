package com.mill;

import com.mill.parts.Wheel; // @ Wheel -> file Wheel
import com.mill.tools.Gauge;
import static com.mill.tools.Units.weigh; // @ weigh -> file weigh
import java.util.List;
import java.util.Map;

@Machine(name = "mill") // @ Machine -> free Machine; name -> free Machine name
class Mill<T extends Load> extends Base<T> implements Closer { // @ Load -> free Load; Base -> free Base [base unit Mill]; T -> local; Closer -> free Closer [base unit Mill]
    private final Wheel wheel; // @ Wheel -> file Wheel [type unit Mill wheel]
    List<Stone> stones; // @ Stone -> unit Stone [type unit Mill stones []]; List -> file List
    Map<String, Sack[]> sacks; // @ Sack -> free Sack [type unit Mill sacks [] []]
    T load;

    Mill(Wheel wheel, Grain grain) { // @ Grain -> free Grain
        super(grain); // @ grain -> local
        this.wheel = wheel; // @ wheel -> unit Mill wheel
    }

    Flour grind(Grain grain) { // @ Flour -> free Flour [type unit Mill grind ()]
        wheel.turn(grain); // @ wheel -> unit Mill wheel; turn -> unit Mill wheel turn
        start(1); // @ start -> unit Mill . start
        Mill.create().grind(null); // @ Mill -> unit Mill; create -> unit Mill create; grind -> unit Mill create () grind
        weigh(grain); // @ weigh -> file weigh
        Gauge gauge = new Gauge(level); // @ Gauge -> file Gauge; level -> unit Mill . level
        gauge.read().show(); // @ gauge -> local; read -> file Gauge read; show -> file Gauge read () show
        var flour = new Flour(); // @ Flour -> free Flour
        flour.sift(); // @ sift -> free Flour sift
        for (Stone stone : stones) { // @ Stone -> unit Stone; stones -> unit Mill stones
            stone.turn(); // @ turn -> unit Stone turn
        }
        for (var stone : stones) stone.turn(); // @ turn -> unit Stone turn
        stones.get(0).turn(); // @ get -> ?; turn -> unit Stone turn
        super.stop(); // @ stop -> free Base stop
        load.weight(); // @ load -> unit Mill load; weight -> unit Mill load weight
        return flour;
    }

    static Mill<Load> create() {
        int create = 2;
        create(create); // @ create -> unit Mill create
        Runnable hook = new Hook() { // @ Hook -> free Hook
            public void run() {
                fire(); // @ fire -> free Hook . fire
                create(); // @ create -> unit Mill create
            }
        };
        List<Stone> own = null;
        own.forEach(stone -> stone.turn()); // @ stone -> local; turn -> unit Stone turn; forEach -> ?
        own.stream().map(Stone::turn); // @ Stone -> unit Stone; turn -> unit Stone turn
        Object thing = own;
        if (thing instanceof Sack sack && sack.full()) return null; // @ Sack -> free Sack; full -> free Sack full
        ((Sack) thing).fill(); // @ fill -> free Sack fill
        return null;
    }

    enum Speed { SLOW, FAST { int rpm() { return of(FAST); } }; int rpm() { return 1; } static int of(Speed speed) { // @ of -> unit Mill Speed of; FAST -> unit Mill Speed FAST
        switch (speed) {
            case SLOW: return SLOW.rpm(); // @ SLOW -> unit Mill Speed SLOW; rpm -> unit Mill Speed SLOW rpm
            default: return Speed.FAST.rpm(); // @ Speed -> unit Mill Speed; FAST -> unit Mill Speed FAST
        }
    } }

    class Inner {
        void run() {
            grind(null); // @ grind -> unit Mill grind
            Mill.this.grind(null); // @ grind -> unit Mill grind
            other(); // @ other -> unit Mill . other
        }
    }

    <R extends Gauge> void probe(R probe) throws Failure { // @ Failure -> free Failure; R -> local
        try (Gauge gauge = probe.copy()) { // @ copy -> file Gauge copy
            gauge.read(); // @ read -> file Gauge read
        } catch (Jam | Slip jam) { // @ Jam -> free Jam; Slip -> free Slip
            jam.clear(); // @ clear -> free Jam clear
        }
        Wheel.Spoke spoke = wheel.first; // @ Spoke -> file Wheel Spoke; first -> unit Mill wheel first
    }
}

class Stone {
    void turn() {
        spin(); // @ spin -> free spin
    }
}

record Point(Wheel at) {
    void go() {
        at.turn(); // @ at -> unit Point at; turn -> unit Point at turn
    }
}
