#include <stdio.h>
#include "mill/wheel.h"

#define GRIND(x) grind(x)

typedef struct stone stone_t;

struct mill {
    struct wheel *wheel;
    stone_t stones[2];
    size_t count;
};

static int turn(struct mill *mill, const grain_t *grain)
{
    mill->wheel->turn(mill, sizeof(stone_t));
    (*mill->callback)(1);
    return printf("%d", GRIND(weight((grain_t *)grain)));
}
