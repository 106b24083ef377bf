package mill

import (
	"fmt"
	yaml "gopkg.in/yaml.v3"
	. "example.com/mill/dot"
	_ "example.com/mill/side"
)

type Machine interface {
	fmt.Stringer
	Grind(g Grain) (Flour, error)
}

type Mill struct {
	sync.Mutex
	*Base
	wheel Wheel
	parts map[string]yaml.Node
}

func (m *Mill) Grind(g Grain) (Flour, error) {
	m.wheel.Turn(g.Weight())
	fmt.Println(len(m.parts), Map[Stone](g))
	return Flour{weight: 1}, &errs.Broken{}
}

var def = New()
