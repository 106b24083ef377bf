<?php
namespace App\Mill;
use Vendor\Base;                                      // @@ Base=none
use App\Mill\{Wheel as Gear};                         // @@ Wheel=App\Mill\Wheel
const LIMIT = 8;
interface Turning { public function turn(int $by): self; }
trait Logging {
    protected Logger $logger;                         // @@ Logger=App\Mill\Logger
    public function log(string $text): void { $this->logger->write($text); } // @@ logger=App\Mill\Logging::logger write=App\Mill\Logger::write
}
class Logger { public function write(string $text): void {} }
class Part {
    public int $size = 1;
    public ?Part $next = null;                        // @@ Part=App\Mill\Part
    const MAX = 3;
    public function weigh(): int { return $this->size * self::MAX; } // @@ size=App\Mill\Part::size MAX=App\Mill\Part::MAX
    public function size(): int { return $this->next->size(); } // @@ next=App\Mill\Part::next size=App\Mill\Part::size
    public static function make(): static { return new static(); }
}
final class Wheel extends Part implements Turning {   // @@ Part=App\Mill\Part Turning=App\Mill\Turning
    use Logging;                                      // @@ Logging=App\Mill\Logging
    private static $count = 0;
    public function __construct(private Part $part, private $other) {} // @@ Part=App\Mill\Part
    public function turn(int $by): self {
        $this->log('turn');                           // @@ log=App\Mill\Logging::log
        self::$count += LIMIT;                        // @@ count=App\Mill\Wheel::count LIMIT=App\Mill\LIMIT
        $this->part->weigh();                         // @@ part=none weigh=App\Mill\Part::weigh
        $this->other->weigh();                        // @@ weigh=none
        return parent::weigh() ? $this : $this;       // @@ weigh=App\Mill\Part::weigh
    }
}
function helper(Wheel $wheel, $unknown): ?Part        // @@ Wheel=App\Mill\Wheel Part=App\Mill\Part
{
    $wheel->turn(1)->turn(2)->weigh();                // @@ turn=App\Mill\Wheel::turn weigh=App\Mill\Part::weigh
    $unknown->turn(1);                                // @@ turn=none
    $gear = new Gear(new Part(), 1);                  // @@ Gear=App\Mill\Wheel Part=App\Mill\Part
    $gear->log('x');                                  // @@ log=App\Mill\Logging::log
    Part::make()->weigh();                            // @@ make=App\Mill\Part::make weigh=App\Mill\Part::weigh Part=App\Mill\Part
    if ($unknown instanceof Turning) { strlen('x'); } // @@ Turning=App\Mill\Turning strlen=none
    try { other(); } catch (Failure $e) { $e->code(); } // @@ Failure=App\Mill\Failure code=App\Mill\Failure::code other=App\Mill\other
    $f = fn (Part $p) => $p->weigh() + Part::MAX;     // @@ Part=App\Mill\Part weigh=App\Mill\Part::weigh MAX=App\Mill\Part::MAX
    return helper($gear, null)->next;                 // @@ helper=App\Mill\helper next=App\Mill\Part::next
}
class Failure extends \Exception { public function code(): Grade { return Grade::Fine; } } // @@ Grade=App\Mill\Grade Fine=App\Mill\Grade::Fine
enum Grade { case Fine; case Coarse; public function next(): self { return self::Coarse; } } // @@ Coarse=App\Mill\Grade::Coarse
function other() { return \App\Mill\helper(new \App\Mill\Wheel(1, 2), 3); } // @@ helper=App\Mill\helper Wheel=App\Mill\Wheel
