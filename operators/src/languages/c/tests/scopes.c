#include "mill.h"
#define LIMIT 8
#define SQUARE(x) ((x) * (x))
enum grade { COARSE, FINE = 2 };
typedef struct stone stone_t;                  // @@ stone=stone
struct stone { int weight; stone_t *next; };   // @@ stone_t=stone_t
typedef struct mill_s {
    stone_t *stones;                           // @@ stone_t=stone_t
    enum grade grade;                          // @@ grade=grade
    int (*turn)(struct mill_s *self, int by);  // @@ mill_s=mill_s
} mill_t;
static int total;
extern int shared;
int weigh(const stone_t *stone);               // @@ stone_t=stone_t
static mill_t *make(int size);                 // @@ mill_t=mill_t
static int helper(stone_t *stone)
{
    return stone->weight + SQUARE(LIMIT);      // @@ stone=local weight=stone::weight SQUARE=SQUARE
}
int weigh(const stone_t *stone)
{
    int weight = helper((stone_t *)stone);     // @@ helper=helper stone=local stone_t=stone_t
    total += weight;                           // @@ total=total weight=local
    return stone->next->weight;                // @@ next=stone::next weight=stone::weight
}
static mill_t *make(int size)
{
    mill_t *mill = calloc(size, sizeof(mill_t)); // @@ calloc=none size=local mill_t=mill_t
    mill->grade = FINE;                        // @@ grade=mill_t::grade FINE=grade::FINE
    mill->stones[0].weight = shared;           // @@ stones=mill_t::stones weight=stone::weight shared=shared
    mill->turn = turn_by;                      // @@ turn=mill_t::turn turn_by=none
    return mill;                               // @@ mill=local
}
int run(struct mill_s *given, unknown_t *other)  // @@ unknown_t=none
{
    if (given->grade == COARSE)                // @@ grade=mill_t::grade COARSE=grade::COARSE
        make(LIMIT)->stones->weight = 1;       // @@ make=make LIMIT=LIMIT stones=mill_t::stones
    other->weight = 1;                         // @@ weight=none other=local
    given->turn((mill_t *)given, weigh(given->stones)); // @@ turn=mill_t::turn weigh=weigh stones=mill_t::stones
    mill_t own = { .grade = COARSE };          // @@ grade=mill_t::grade
    for (int total = 0; total < 3; total++)    // @@ total=local
        qsort(0, 0, 0, (void *)helper);        // @@ helper=helper qsort=none
    return total;                              // @@ total=total
}
