<html>
<?php
namespace Grain\Store;

use Countable;

/** The most grains. */
const CAPACITY = 64;
define('LIMIT', 3);

/**
 * A place for grain.
 */
#[Attribute]
final class Silo extends Base implements Countable
{
    use Opens;
    /** How many. */
    public const TURNS = 3;
    private int $size = 0, $spare = 1;

    /** Makes a silo. */
    public function __construct(private array $grains) {}

    /**
     * Counts.
     */
    #[Pure]
    public static function count(int $x): int
    {
        $f = function ($y) { return $y; };
        return $f($x);
    }
    abstract function shut();
}

interface Mill { public function mill(): void; }
trait Opens { protected function open() {} }
enum Failure: string { case Full = 'full'; case Shut = 'shut'; }

// Helps.
function help(string $what): string
{
    return $what;
}
?>
</html>
