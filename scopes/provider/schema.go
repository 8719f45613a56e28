package provider

import (
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

func shape() *yamlfile.Shape {
	s := yamlfile.Describe(func(r *yamlfile.Reader, root *yaml.Node) { (&decoder{Reader: r}).provider(root) })
	s.About = "What is known of a service before anyone asks it."
	return s
}

// Schema is the JSON Schema (draft 2020-12) of a provider's file, for editors; [Decode] is the judge.
func Schema() []byte { return shape().Schema("A provider's file") }

// Starter is a provider's file to fill in, with a line about each member.
func Starter() []byte {
	return shape().Starter([]string{"servers.main.issuer", "servers.main.api", "client.id"})
}
