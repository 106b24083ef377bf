#include <stdio.h>

/* The most grains a silo holds. */
#define CAPACITY 64
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/** A place for grain. */
typedef struct silo {
    int count;      /* how many */
    char *name, *label;
    void (*shut)(struct silo *);
} silo_t;

struct door { int open : 1; };
enum failure { FULL = 1, SHUT };
union bits { int i; float f; };
typedef int (*mill_fn)(int, const char *);
typedef unsigned long ulong_t;

static int opened = 0;
const char *names[] = { "rye", "oat" };
extern int closed(void);

/**
 * Counts the grains.
 */
static inline int
count(const silo_t *silo, int twice)
{
    int local = 0;
    return silo->count * (twice ? 2 : 1) + local;
}

// Finds a name.
char **find(silo_t *s) { return &s->name; }

int (*handler(int which))(int) { return 0; }

#ifdef GRAIN_TEST
static void test_count(void) { }
#endif
