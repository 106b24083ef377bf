module Mill.Core (grind) where

import Data.Maybe
import qualified Data.Map as M
import Mill.Parts (Wheel (..), turn)
import Mill.Grain hiding (oat)

data Mill = Mill { wheel :: Wheel, stones :: M.Map Int Stone }
  deriving (Show, Eq)

class Grinds a where
  grind :: a -> Grain -> Flour

instance Grinds Mill where
  grind mill grain = sift $ turn (wheel mill) (M.lookup grain)
