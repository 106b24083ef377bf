module github.com/acme/mill // a comment

go 1.22

toolchain go1.22.3

require (
	github.com/acme/stone v1.2.0
	golang.org/x/text v0.14.0 // indirect
)

require gopkg.in/yaml.v3 v3.0.1

exclude golang.org/x/text v0.13.0

replace github.com/acme/stone => ./stone

replace (
	github.com/acme/sieve v1.0.0 => ../sieve
	golang.org/x/text => github.com/acme/text v0.1.0
	github.com/acme/around => ..
)

retract [v1.0.0, v1.0.5]
