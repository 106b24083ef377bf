<?php
namespace App\Mill;

use App\Parts\Wheel;
use App\Grain\{Oat, Rye as Dark};
use function App\Tools\weigh;
require_once __DIR__ . '/helpers.php';
include 'config.php';

#[Attribute]
class Mill extends Base implements Machine, \Countable
{
    use Grinds;

    public function grind(Grain $grain, ?int $n): Parts\Flour
    {
        $this->wheel->turn($grain);
        $flour = new Flour(weigh($grain));
        return Wheel::spin($flour)?->sift(Level::FINE);
    }
}
