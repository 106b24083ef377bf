// Package silo keeps grain.
package silo

import "fmt"

// Capacity is the most grains a silo holds.
const Capacity = 64

const (
	// Rye is dark.
	Rye = iota
	Oat
)

var opened, closed int

// Silo is a place for grain.
//
// It keeps count.
type Silo[T any] struct {
	// Grains lie in it.
	Grains []T
	open, shut bool
	fmt.Stringer
}

// Mill mills.
type Mill interface {
	// Grind grinds.
	Grind(grain int) (int, error)
	fmt.Stringer
}

type (
	// Pair is two.
	Pair struct{ a, b int }
	Alias = Pair
)

// New makes a silo.
func New[T any](size int) *Silo[T] {
	check := func() bool { return true }
	check()
	return &Silo[T]{}
}

// Add adds a grain.
func (s *Silo[T]) Add(grain T) error {
	s.Grains = append(s.Grains, grain)
	return nil
}

func (Pair) String() string { return fmt.Sprint(1) }
