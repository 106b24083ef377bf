{-# LANGUAGE GADTs #-}
-- | Keeps grain.
module Grain.Store
  ( Silo (..)
  , add
  ) where

import qualified Data.Map as Map

-- | A place for grain.
--
-- It keeps count.
data Silo a = Silo
  { grains :: [a] -- ^ what lies in it
  , open :: Bool
  }
  | Empty
  deriving (Show, Eq)

-- | A pair.
newtype Pair = Pair (Int, Int)

type Name = String

-- | What can be milled.
class Mill a where
  -- | Mills it.
  mill :: a -> Int
  mill _ = 0

instance Mill (Silo a) where
  mill Empty = 0
  mill s = length (grains s)

-- | Adds a grain.
add :: a -> Silo a -> Silo a
add x Empty = Silo [x] True
add x s = s { grains = check x : grains s }
  where
    check y = y

-- No signature.
count [] = 0
count (_ : xs) = 1 + count xs

capacity :: Int
capacity = 64

(<+>) :: Int -> Int -> Int
a <+> b = a + b

data Expr where
  Lit :: Int -> Expr
