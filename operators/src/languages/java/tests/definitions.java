package org.grain.silo;

import java.util.List;

/**
 * A place for grain.
 *
 * <p>It keeps count.
 */
@Deprecated
public class Silo<T> extends Base implements Mill<T> {
    /** The most grains. */
    public static final int CAPACITY = 64;
    private List<T> grains, spare;

    static {
        System.out.println("loaded");
    }

    /** Makes a silo. */
    public Silo(List<T> grains) {
        this.grains = grains;
    }

    /** Adds a grain. */
    @Override
    public synchronized void add(T grain) throws FullException {
        Runnable r = new Runnable() {
            @Override public void run() {}
        };
        grains.add(grain);
    }

    public enum Failure {
        /** No room. */
        FULL(1) { int code() { return 2; } },
        SHUT;

        Failure(int code) {}
    }

    interface Door { void shut(); default int open() { return 1; } }
    record Pair(int a, int b) {}
    @interface Logged { String value() default ""; }
}

interface Mill<T> {
    int TURNS = 3;
    void add(T grain);
}
